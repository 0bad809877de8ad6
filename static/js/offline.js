// Keeps a friendly page at hand for when the connection is gone (served by /sw.js).
if ("serviceWorker" in navigator && window.isSecureContext) navigator.serviceWorker.register("/sw.js").catch(() => {});
