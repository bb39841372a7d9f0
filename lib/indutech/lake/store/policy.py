"""The rights on a lake in a bucket, and no more: what the stream does, and what readers do, as an IAM policy."""

from typing import Any, Literal

Who = Literal["writer", "reader"]

READ_OBJECTS = ("s3:GetObject",)
WRITE_OBJECTS = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
LIST = ("s3:ListBucket",)
LIST_UPLOADS = ("s3:ListBucketMultipartUploads",)  # the next write aborts what a killed one had begun to upload


def policy(bucket: str, prefix: str, who: Who) -> dict[str, Any]:
    """Return the IAM policy of the stream, or of whoever reads the lake, for one bucket and prefix."""
    arn = f"arn:aws:s3:::{bucket}"
    below = f"{prefix}/*" if prefix else "*"
    statements: list[dict[str, Any]] = [
        {
            "Sid": "Objects",
            "Effect": "Allow",
            "Action": list(WRITE_OBJECTS if who == "writer" else READ_OBJECTS),
            "Resource": f"{arn}/{below}",
        },
        {"Sid": "List", "Effect": "Allow", "Action": list(LIST), "Resource": arn}
        | ({"Condition": {"StringLike": {"s3:prefix": [prefix, below]}}} if prefix else {}),
    ]
    if who == "writer":
        statements.append({"Sid": "Uploads", "Effect": "Allow", "Action": list(LIST_UPLOADS), "Resource": arn})
    return {"Version": "2012-10-17", "Statement": statements}
