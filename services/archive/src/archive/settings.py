"""What archive reads from its environment. The layout is not in it: see `archive.stamp`."""

from millrace.settings import FunctionSettings


class ArchiveSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    data_bucket: str
    commits_table: str
    manifests_table: str
