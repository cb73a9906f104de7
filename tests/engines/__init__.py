"""Other systems that tests need, really run: fetched by Maven, started in folders of their own, ended by process ids."""
