"""What shells ask of a cluster: the commands of ``ozone sh`` and ``ozone s3``, each for whoever calls, by a client of his own."""
