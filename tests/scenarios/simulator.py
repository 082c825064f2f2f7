"""A simulated cluster for tests/scenarios: a program of its own, started by them.

fakepve (AGPL-3.0, not part of this project) is used as it is installed, through what its documentation offers: the
command line of the simulator cannot register API tokens, containers' storages or locks. The world mirrors the part of
the embedded sandbox's that the scenarios touch.

Usage: simulator.py WORLD.json CERTIFICATE KEY; prints `listening on PORT` and serves until its input ends.
"""

import asyncio
import json
import sys

from fakepve import FakePve

GIB = 1 << 30


def build(world):
    pve = FakePve(user="root@pam", password="unused", host="127.0.0.1", port=0)
    # Durations below are seconds of the simulated world; without `slow` everything is over at once.
    pve.time_scale = 0.05 if world["slow"] else 0
    for node in ("pve1", "pve2", "pve3"):
        pve.add_node(node)
    pve.storages["local"]["content"] = "backup,import,iso,snippets,vztmpl"
    pve.storages["backup-nas"] = {
        "type": "nfs", "content": "backup,images,iso,rootdir,vztmpl", "server": "192.0.2.5",
        "export": "/export/proxmox", "path": "/mnt/pve/backup-nas", "shared": 1, "active": 1, "avail": 8192 * GIB, "files": set(),
        "volumes": {
            f"backup/{name}": {"content": "backup", "format": form, "size": 3 * GIB, "vmid": vmid, **more}
            for name, form, vmid, more in (
                ("vzdump-qemu-100-2026_10_31-02_00_00.vma.zst", "vma.zst", 100, {}),
                ("vzdump-lxc-202-2026_10_31-02_30_00.tar.zst", "tar.zst", 202, {}),
                ("wiki-before-upgrade.tar.zst", "tar.zst", 202, {"protected": 1}),
            )
        },
    }
    for name in ("debian-12-standard_12.0-1_amd64.tar.zst", "debian-13-standard_13.1-2_amd64.tar.zst"):
        pve.store_file("local", name, 120 << 20, "vztmpl")
    pve.store_file("local", "debian-12.7.0-amd64-netinst.iso", 631 << 20)

    def vm(vmid, name, status, disk, size, **more):
        config = {"scsi0": f"{disk},size={size}G", "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
                  "boot": "order=scsi0;net0", "ostype": "l26", "scsihw": "virtio-scsi-single", **more}
        pve.add_vm(vmid, name, status=status, config=config, template=bool(more.get("template")))

    vm(100, "web-server", "running", "local-lvm:vm-100-disk-0", 32, memory="4096", cores=4)
    vm(102, "build-runner", "stopped", "local-lvm:vm-102-disk-0", 64, memory="8192", cores=8)
    vm(9000, "debian-12-template", "stopped", "local-lvm:base-9000-disk-0", 10, memory="2048", cores=2, template=1)
    pve.add_vm(110, "test", node="pve2", config={"memory": "1024", "cores": 1})
    dns = {"rootfs": "local-lvm:vm-200-disk-0,size=8G", "memory": 512, "cores": 1, "swap": 512}
    wiki = {"rootfs": "local-lvm:vm-202-disk-0,size=16G", "memory": 2048, "cores": 2, "swap": 512}
    pve.add_ct(200, "dns", status="running", config=dns)
    pve.add_ct(202, "wiki", node="pve2", config=wiki)
    pve.add_ct(210, "test", node="pve3", config={"memory": 256, "cores": 1, "swap": 0})
    if world["slow"]:
        pve.vm(102).start_secs, pve.ct(202).start_secs = 10, 100000

    for vmid, lock in world["locked"]:
        if pve.ct(vmid):
            pve.ct(vmid).lock = lock
        else:
            pve.snapshot_lock(vmid, lock)
    for vmid, error in world["failing"]:
        pve.guest(vmid).start_error = error

    pve.tfa = world["factor"]
    if world["brief"]:
        pve.ticket_ttl = 0
    pve.apitokens["root@pam!tests"] = world["secret"]
    if world["auditor"]:
        pve.apitokens["auditor@pve!tests"] = world["secret"]
        names = ("Datastore", "Mapping", "Pool", "SDN", "Sys", "VM", "VM.GuestAgent")
        pve.grant("auditor@pve", "/", *(f"{name}.Audit" for name in names))
    return pve


async def serve(pve, certificate, key):
    await pve.start(certificate, key)
    print(f"listening on {pve.port}", flush=True)
    # The end of the input is the end of whoever started this.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await pve.stop()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        described = json.load(file)
    asyncio.run(serve(build(described), sys.argv[2], sys.argv[3]))
