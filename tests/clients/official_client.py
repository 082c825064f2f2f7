"""The official Python client against the built server, in both protocol eras: lists every surface and calls tools.
A person behind the client answers the questions.

Usage: official_client.py PATH_OF_THE_SERVER
"""

import asyncio
import sys

from mcp import Client, ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client

SERVER = sys.argv[1]
SURFACES = [
    ([], None),
    (["--dialect", "tools-reference"], 29),
    (["--dialect", "mcp-proxmox"], 38),
]


def parameters(arguments):
    return StdioServerParameters(command=SERVER, args=["--sandbox", "--tier", "admin", *arguments])


async def check(session, version, arguments, count):
    """Lists, reads, changes, and fails as documented."""
    listed = await session.list_tools()
    names = [tool.name for tool in listed.tools]
    assert count is None or len(names) == count, (len(names), count)
    guests = next(name for name in ("list_guests", "list_vms", "proxmox_get_vms") if name in names)
    answer = await session.call_tool(guests, {})
    assert not answer.is_error, answer
    assert answer.structured_content["total"] >= 4, answer.structured_content
    start = next(name for name in ("start_guest", "start_vm", "proxmox_vm_start") if name in names)
    answer = await session.call_tool(start, {"node": "pve1", "vmid": 102})
    assert not answer.is_error, answer
    assert answer.structured_content["outcome"] == "ok", answer.structured_content
    answer = await session.call_tool(start, {"vmid": 999999})
    assert answer.is_error, answer
    prompts = (await session.list_prompts()).prompts
    assert "health_check" in [prompt.name for prompt in prompts], prompts
    written = await session.get_prompt("why_is_guest_slow", {"guest": "100"})
    assert "100" in written.messages[0].content.text, written
    resources = (await session.list_resources()).resources
    templates = (await session.list_resource_templates()).resource_templates
    assert templates, templates
    for resource in resources:
        read = await session.read_resource(str(resource.uri))
        assert read.contents[0].mime_type == "application/json", read
    read = await session.read_resource("proxmox://guest/100")
    assert '"vmid":100' in read.contents[0].text, read
    print(f"{version}: {' '.join(arguments) or 'canonical'}: {len(names)} tools, calls answered")


def person(answers):
    """Somebody who is asked before a guest is deleted, and says these words in turn."""
    words = iter(answers)

    async def answer(_context, params):
        assert "DELETE /nodes/pve2/qemu/110" in params.message, params.message
        return types.ElicitResult(action="accept", content={"confirm": next(words)})

    return answer


async def confirm(session, version):
    """A wrong word deletes nothing, the right one does."""
    refused = await session.call_tool("delete_guest", {"vmid": 110})
    assert refused.is_error and "Nothing was sent" in refused.content[0].text, refused
    answer = await session.call_tool("delete_guest", {"vmid": 110})
    assert not answer.is_error, answer
    assert answer.structured_content["outcome"] == "ok", answer.structured_content
    print(f"{version}: a person was asked, and the guest was deleted")


async def main():
    for arguments, count in SURFACES:
        async with Client(parameters(arguments)) as client:
            assert client.protocol_version == "2026-07-28", client.protocol_version
            await check(client, client.protocol_version, arguments, count)
        async with stdio_client(parameters(arguments)) as (read, write):
            async with ClientSession(read, write) as session:
                opened = await session.initialize()
                assert opened.protocol_version == "2025-11-25", opened.protocol_version
                await check(session, opened.protocol_version, arguments, count)
    async with Client(parameters([]), elicitation_callback=person(["111", "110"])) as client:
        await confirm(client, client.protocol_version)
    async with stdio_client(parameters([])) as (read, write):
        async with ClientSession(read, write, elicitation_callback=person(["111", "110"])) as session:
            opened = await session.initialize()
            await confirm(session, opened.protocol_version)


asyncio.run(main())
