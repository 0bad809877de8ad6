{% load static %}// Answers a page that cannot be reached with the offline page. Nothing else is kept: data is never shown stale.
const CACHE = "eventops-offline-{{ build }}";
const KEPT = ["{% url 'offline' %}", "{% static 'css/tokens.css' %}", "{% static 'css/base.css' %}", "{% static 'css/components.css' %}", "{% static 'css/data.css' %}", "{% static 'css/frame.css' %}", "{% static 'favicon.svg' %}"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)));
  self.skipWaiting();
});
self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((n) => n.startsWith("eventops-") && n !== CACHE).map((n) => caches.delete(n)))));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match(KEPT[0])));
  else if (KEPT.includes(new URL(request.url).pathname)) event.respondWith(fetch(request).catch(() => caches.match(request)));
});
