"""Which filesystem a home lies on, and whether a journal may lie there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deskwatch.errors import ConfigError
from deskwatch.journal import mounts, names

TABLE = """\
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:22 / /mnt/share rw shared:2 - nfs4 server:/export rw
24 23 0:23 / /mnt/share/local rw - xfs /dev/sdb1 rw
25 22 0:24 / /mnt/with\\040a\\040space rw - cifs //server/x rw
26 22 0:25 / /mnt/over rw - nfs server:/x rw
27 26 0:26 / /mnt/over rw master:3 propagate_from:4 - ext4 /dev/sdc1 rw
28 22 0:27 / /mnt/under rw - ext4 /dev/sdd1 rw
29 28 0:28 / /mnt/under rw - fuse.sshfs me@host:/ rw
30 22 0:29 / /mnt/back\\134slash rw - 9p x rw
a broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/bot", "ext4"),
        ("/mnt/share", "nfs4"),
        ("/mnt/share/a/b", "nfs4"),
        ("/mnt/shared", "ext4"),
        ("/mnt/share/local/a", "xfs"),
        ("/mnt/with a space/x", "cifs"),
        ("/mnt/over/x", "ext4"),
        ("/mnt/under/x", "fuse.sshfs"),
        ("/mnt/back\\slash/x", "9p"),
    ],
)
def test_the_longest_mount_point_tells_and_of_two_on_one_point_the_last(path: str, kind: str) -> None:
    assert mounts.filesystem(Path(path), TABLE) == kind


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/mnt/share/home")
    assert mounts.filesystem(tmp_path / "link" / "x", TABLE) == "nfs4"


@pytest.mark.parametrize(
    "kind",
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs", "9p"]
    + [f"fuse.{one}" for one in ("sshfs", "s3fs", "gcsfuse", "rclone", "glusterfs", "davfs", "curlftpfs")],
)
def test_network_filesystems_are_known(kind: str) -> None:
    assert mounts.is_network(kind)


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuse", "fuseblk", "fuse.ntfs-3g", "virtiofs", "sshfs"]
)
def test_local_filesystems_are_allowed(kind: str) -> None:
    assert not mounts.is_network(kind)


def test_a_home_on_a_network_is_refused_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "filesystem", lambda _: "nfs4")
    with pytest.raises(ConfigError, match=r"nfs4.*local folder.*DESKWATCH_ALLOW_NETWORK_HOME=1"):
        names.prepare_home(tmp_path / "home")
    assert not (tmp_path / "home").exists()
    monkeypatch.setenv(mounts.ALLOW_VARIABLE, "1")
    assert names.prepare_home(tmp_path / "home").is_dir()


def test_where_the_kernel_has_no_table_every_home_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert mounts.filesystem(tmp_path) is None
    mounts.check(tmp_path)


@pytest.mark.skipif(not os.path.exists("/proc/self/mountinfo"), reason="needs Linux")
def test_this_machine_knows_its_own_mounts() -> None:
    assert mounts.filesystem(Path("/proc/self")) == "proc"
