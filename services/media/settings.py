"""Settings of media."""

from __future__ import annotations

from pydantic import SecretStr, field_validator

from chassis.settings import DatabaseSettings, IdentityClientSettings, ServiceSettings, setting


class MediaSettings(ServiceSettings, DatabaseSettings, IdentityClientSettings):
    """What media is told by its environment."""

    blob_url: str = setting(
        "where files' bytes are kept: file:///folder or s3://bucket/prefix", unit="URL"
    )
    blob_endpoint: str = setting(
        "address of an S3-compatible store; empty for the region's own", default="", unit="URL"
    )
    blob_region: str = setting("region of the bucket", default="us-east-1")
    blob_access_key_id: str = setting(
        "access key of the bucket; empty to use what the machine is given", default=""
    )
    blob_secret_access_key: SecretStr = setting(
        "secret of the bucket's access key", default=SecretStr(""), unit="secret"
    )

    @field_validator("blob_url")
    @classmethod
    def _check_blob_url(cls, url: str) -> str:
        if not url.startswith(("file:///", "s3://")):
            raise ValueError("must start with file:/// or s3://")
        return url
