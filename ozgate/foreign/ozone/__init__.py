"""Clusters of Apache Ozone, by Ozone's own Java client in this process."""
