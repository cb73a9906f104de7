"""The same work on ozgate and on other S3 servers, in turns: rates, server CPU, memory, p50 and p99, and the limits that ozgate is held to.

``python -m benchmarks.suite --help`` says how; ``docs/performance.md`` has the method. From the bottom: ``sample`` and
``server`` are what is measured and where, ``load`` and ``lines`` and ``streams`` make the load, the modules of ``groups`` have
the rows, ``limits`` what ozgate is to reach, ``report`` the tables. The order is kept by ``turns``.
"""
