"""Fuzzing under atheris, guided by coverage; what it found worth keeping is in ``corpus/`` and replayed by every test run.

A target is a module here with ``one_input(data)``, which raises where a promise is broken, ``SEEDS`` to begin with and
``WORDS`` that mutations may put in. ``python -m tests.fuzz.NAME [SECONDS]`` runs one, ``python -m tests.fuzz --minutes 60
--processes 2`` all of them. atheris is in the extra ``fuzz``; the corpus is replayed without it.
"""
