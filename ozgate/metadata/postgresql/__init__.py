"""The metadata store on PostgreSQL, for many gateways at once."""
