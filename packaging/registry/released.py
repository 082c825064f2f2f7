#!/usr/bin/env python3
"""Writes the server.json of a release: with the bundles that were built, and for the repository that built them.

Usage: released.py OWNER/REPOSITORY BUNDLE.mcpb… > server.json
"""
import copy
import hashlib
import json
import pathlib
import sys

OURS = "proxmox-mcp/proxmox-mcp"


def main(repository: str, bundles: list[str]) -> None:
    repository = repository.lower()
    text = (pathlib.Path(__file__).parent / "server.json").read_text()
    server = json.loads(text.replace(OURS, repository))
    image = server["packages"][0]
    for path in map(pathlib.Path, bundles):
        package = copy.deepcopy(image)
        package["registryType"] = "mcpb"
        package["identifier"] = f"https://github.com/{repository}/releases/download/v{server['version']}/{path.name}"
        package["fileSha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        server["packages"].append(package)
    json.dump(server, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
