"""The figures of EventOps, measured: ``make bench`` prints one JSON line each, ``make bench ONLY=a,b`` only some.

To add a figure, put a module into this package and register a function with the names it yields::

    from bench.registry import Figure, bench, scaled

    @bench("score_accounts_s")
    def score_accounts() -> Iterator[Figure]:
        ensure_accounts(scaled(100_000))          # idempotent: generated data is kept between runs
        with stopwatch() as seconds:
            scoring.score_all(organization.pk)
        yield Figure("score_accounts_s", seconds(), "s")

Benches run on their own database, ``eventops_bench``, migrated before they start, as the unprivileged role and with
row-level security on. Modules are imported after ``django.setup()``, so models can be imported at the top. Data a bench
needs is made by an ``ensure_…`` function that looks for what is there before it generates; put generators that several
benches share into ``bench/data.py``. ``BENCH_SCALE=0.01`` shrinks the sizes while developing: always pass sizes through
``scaled``. Print nothing to standard output; progress goes to ``note``.
"""
