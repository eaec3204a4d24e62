"""The 240 hosts that the demo is recorded on: a directory each, and what is wrong is really wrong.

Ansible takes them for machines; their addresses are theirs in name only, nothing is ever sent
there. The one service that they talk to, the registry, listens on the loopback interface.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import socketserver
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SHARDS = "abc"
HOSTS_PER_SHARD = 80
FIRST_HOST_ID = 101

NO_SETTINGS = ("shop-a-017", "shop-b-058", "shop-c-040")
BAD_ARCHIVE = ("shop-a-017", "shop-b-058")
DISK_FULL = tuple(
    f"shop-{n}" for n in ("a-042", "b-011", "b-012", "b-013", "b-014", "c-007", "c-063")
)
DISK_STILL_FULL = ("shop-a-042", "shop-c-063")
NO_REGISTRY = ("shop-c-021", "shop-c-022", "shop-c-023")
LOCKED = "shop-b-029"
OTHER_SETTINGS = ("shop-a-031", "shop-c-044")
IN_MAINTENANCE = "shop-c-080"
HOST_SETTINGS = {
    "shop-a-001": "log_level = trace\ncanary = yes\n",
    "shop-b-001": "log_level = debug\ncanary = yes\n",
    "shop-c-001": "canary = yes\n",
    **{f"shop-c-{n:03}": "colour = always\n" for n in range(71, 76)},
}
NOTICE = "通知:价格表已更新,请各门店核对货架标签。\n"
NOTICE_ENCODINGS = {"shop-a-066": "gbk", "shop-c-015": "gbk", "shop-b-077": "utf-16"}
PILOT = ("shop-c-031", "shop-c-032", "shop-c-033")
NO_CAMPAIGN_DIRECTORY = ("shop-a-050", "shop-b-050")
WITH_IPV6 = ("shop-a-076", "shop-a-077", "shop-b-076", "shop-b-077", "shop-c-076")
ONLY_IPV6 = "shop-a-080"
COLLECTED = tuple(f"shop-a-{n:03}" for n in range(61, 81))
CAMPAIGN_SOURCE, CAMPAIGN_TARGET = Path("srv/campaign"), Path("srv/shop/campaign")

REGISTRY, MOVED_REGISTRY = "127.0.0.1", "127.0.0.2"


@dataclass(frozen=True)
class Host:
    """One host; its `home` stands for the root of its file system."""

    id: int
    name: str
    ip: str | None
    ipv6: str | None
    home: Path

    @property
    def shop(self) -> Path:
        return self.home / "srv/shop"

    @property
    def source(self) -> str:
        """The host of its shard that holds the files to hand out."""
        return self.name[:-3] + "001"

    def set_registry(self, address: str, port: int) -> None:
        settings = f"registry = {address}:{port}\n" + HOST_SETTINGS.get(self.name, "")
        (self.shop / "conf/host.ini").write_text(settings)


@dataclass(frozen=True)
class Fleet:
    """All the hosts, by name, and the directory that holds them."""

    root: Path
    port: int
    hosts: dict[str, Host]

    def as_seen(self, text: str) -> str:
        """Text with paths as the hosts see them."""
        return re.sub(re.escape(f"{self.root}/hosts/") + "[^/]+", "", text)

    def break_overnight(self) -> None:
        """Between the first run and the second one fault is repaired, and others come."""
        for name in NO_SETTINGS:
            shutil.copy(
                self.hosts[DISK_FULL[0]].shop / "conf/shop.ini", self.hosts[name].shop / "conf"
            )
        for name in DISK_FULL:
            table = self.hosts[name].shop / "data/prices.db"
            table.unlink()
            table.symlink_to("/dev/full")
        for name in NO_REGISTRY:
            self.hosts[name].set_registry(MOVED_REGISTRY, self.port)
        for name in BAD_ARCHIVE:
            archive = self.hosts[name].shop / "inbox/prices.tar.gz"
            archive.write_bytes(archive.read_bytes()[:-512])
        for name in OTHER_SETTINGS:
            settings = self.hosts[name].shop / "conf/shop.ini"
            settings.write_text(settings.read_text().replace("0.05", "0.10"))
        (self.hosts[LOCKED].shop / "deploy.lock").write_text("deploy of 2.8.1\n")
        (self.hosts[self.hosts[PILOT[0]].source].home / CAMPAIGN_SOURCE / "pilot.json").unlink()
        for name in NO_CAMPAIGN_DIRECTORY:
            shutil.rmtree(self.hosts[name].home / CAMPAIGN_TARGET)

    @contextmanager
    def repaired(self) -> Iterator[None]:
        """Repaired before the failed hosts run again: all but the archives and two disks."""
        for name in set(DISK_FULL) - set(DISK_STILL_FULL):
            (self.hosts[name].shop / "data/prices.db").unlink()
        (self.hosts[LOCKED].shop / "deploy.lock").unlink()
        with registry(MOVED_REGISTRY, self.port):
            yield


@contextmanager
def fleet(root: Path) -> Iterator[Fleet]:
    """Make the hosts, Ansible's inventory of them and the registry that they call."""
    with registry(REGISTRY) as port:
        hosts = {host.name: host for host in _hosts(root)}
        archive = _price_archive()
        for host in hosts.values():
            _furnish(host, port, archive)
        (root / "inventory.json").write_text(json.dumps({"all": _inventory(hosts)}))
        yield Fleet(root=root, port=port, hosts=hosts)


def _hosts(root: Path) -> Iterator[Host]:
    names = [(s, n) for s in range(len(SHARDS)) for n in range(1, HOSTS_PER_SHARD + 1)]
    for id_, (shard, n) in enumerate(names, start=FIRST_HOST_ID):
        name = f"shop-{SHARDS[shard]}-{n:03}"
        yield Host(
            id=id_,
            name=name,
            ip=None if name == ONLY_IPV6 else f"10.40.{shard + 1}.{n}",
            ipv6=f"fd00:40::{shard + 1}:{n}" if name == ONLY_IPV6 or name in WITH_IPV6 else None,
            home=root / "hosts" / name,
        )


def _furnish(host: Host, port: int, archive: bytes) -> None:
    for directory in ("conf", "inbox", "data", "campaign"):
        (host.shop / directory).mkdir(parents=True)
    for script in (HERE / "scripts").iterdir():
        shutil.copy(script, host.shop)
    (host.shop / "inbox/prices.tar.gz").write_bytes(archive)
    digest = hashlib.sha256(archive).hexdigest()
    (host.shop / "inbox/prices.sha256").write_text(f"{digest}  prices.tar.gz\n")
    if host.name not in NO_SETTINGS:
        (host.shop / "conf/shop.ini").write_text(
            "currency = CNY\nrounding = 0.05\nlabels = two-line\n"
        )
    host.set_registry(REGISTRY, port)
    encoding = NOTICE_ENCODINGS.get(host.name, "utf-8")
    (host.shop / "conf/notice.txt").write_bytes(NOTICE.encode(encoding))
    if host.name == IN_MAINTENANCE:
        (host.shop / "maintenance").touch()
    if host.name == host.source:
        campaign = host.home / CAMPAIGN_SOURCE
        campaign.mkdir()
        offers = [
            {"sku": f"TOY-{n:05}", "shard": host.name[5], "percent": n % 7 * 5} for n in range(4000)
        ]
        (campaign / "campaign.json").write_text(json.dumps(offers))
        (campaign / "pilot.json").write_text(json.dumps(offers[:400]))


def _inventory(hosts: dict[str, Host]) -> dict[str, object]:
    def variables(host: Host) -> dict[str, object]:
        return {
            "home": str(host.home),
            "source_home": str(hosts[host.source].home),
            "pilot": host.name in PILOT,
        }

    return {
        "hosts": {host.name: variables(host) for host in hosts.values()},
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
    }


def _price_archive() -> bytes:
    """Four price lists of 3,000 rows: article, old price, new price."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for step, name in enumerate(("books", "garden", "kitchen", "toys"), start=1):
            data = "".join(_price_row(name, n, n * step % 90) for n in range(1, 3001)).encode()
            member = tarfile.TarInfo(f"prices/{name}.csv")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def _price_row(list_name: str, n: int, price: int) -> str:
    cents = 95 if n % 3 == 2 else 50
    return f"{list_name[:3].upper()}-{n:05},{price}.50,{price}.{cents}\n"


class _Registry(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        name = self.rfile.readline().split()[-1]
        self.wfile.write(b"OK " + name + b"\n")


@contextmanager
def registry(address: str, port: int = 0) -> Iterator[int]:
    """Answer on a loopback address for as long as the block runs."""
    with socketserver.ThreadingTCPServer((address, port), _Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
