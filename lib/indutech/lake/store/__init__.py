"""Where the lake's files are: a folder, or a bucket of S3 that is reached with the settings or served by ourselves.

`connection.connected` gives settings that reach the store; `files` is what the lake does with its files on either,
`s3_path` a file in a bucket. `bucket` talks to S3, `embedded` starts a server, `lease` keeps a second writer away,
`spark` says to Spark what it must know, `policy` which rights a key needs, `key` where the key is found.
"""

__all__ = ["bucket", "connection", "files", "key", "lease", "policy", "s3_path", "spark"]
