"""IAM and STS, on S3's port: users, keys, groups and policies, and credentials that last for a while, in AWS's Query protocol."""
