"""Which filesystem a folder lies on: journals don't belong on a network's, whose locks and syncs promise less."""

from __future__ import annotations

import os
import re
from pathlib import Path

from deskwatch.errors import ConfigError

ALLOW_VARIABLE = "DESKWATCH_ALLOW_NETWORK_HOME"
"""Environment variable: 1 allows a home on a network filesystem."""

_NETWORK = frozenset(
    {
        "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "fhgfs", "glusterfs", "gfs2", "gpfs", "lustre", "mmfs",
        "ncp", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb2", "smb3", "smbfs", "webdav",
    }
)  # fmt: skip
_NETWORK_FUSE = frozenset(
    {
        "blobfuse", "blobfuse2", "ceph", "ceph-fuse", "curlftpfs", "davfs", "davfs2", "gcsfuse", "glusterfs",
        "goofys", "google-drive-ocamlfuse", "juicefs", "moosefs", "mfs", "mount-s3", "mountpoint-s3", "nfs",
        "rclone", "s3fs", "seaweedfs", "smbnetfs", "sshfs", "wdfs",
    }
)  # fmt: skip
_OCTAL = re.compile(r"\\([0-7]{3})")


def check(folder: Path) -> None:
    """Refuse a folder on a network filesystem, unless the environment allows it.

    Raises:
        ConfigError: It is on one; the message says what to do.
    """
    kind = filesystem(folder)
    if kind is not None and is_network(kind) and os.environ.get(ALLOW_VARIABLE) != "1":
        raise ConfigError(
            f"expected the home on a local disk, was {folder} on {kind}, a network filesystem, which keeps neither the "
            f"journal's lock nor its syncs; set --home or DESKWATCH_HOME to a local folder, or {ALLOW_VARIABLE}=1 to "
            "take the risk"
        )


def filesystem(folder: Path, table: str | None = None) -> str | None:
    """The type of the filesystem that a folder lies on, or would lie on if it was made: `ext4`, `nfs4`, `fuse.sshfs`.

    Args:
        folder: Any path; symbolic links are resolved.
        table: Text of a `/proc/self/mountinfo` to look in; None for this process's.

    Returns:
        None where there is no such table to look in, or it doesn't tell.
    """
    if table is None:
        try:
            table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return None
    path = os.path.realpath(folder)
    found: str | None = None
    longest = -1
    for text in table.splitlines():
        fields, dash, rest = text.partition(" - ")
        if not dash or len(fields.split(" ")) < 5 or not rest:
            continue
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields.split(" ")[4])
        if (path == point or path.startswith(point.rstrip("/") + "/")) and len(point) >= longest:
            longest, found = len(point), rest.split(" ")[0]  # of several on one point the last lies on top
    return found


def is_network(kind: str) -> bool:
    """Whether a filesystem's type is a network's."""
    kind, _, inner = kind.lower().partition(".")
    return inner in _NETWORK_FUSE | _NETWORK if kind in ("fuse", "fuseblk") else kind in _NETWORK
