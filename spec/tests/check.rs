//! Values are judged as the server judges them, in its words. The texts are literal answers of a 9.2.

use proptest::prelude::*;
use proxmox_spec::{Param, Problem, Verb, check, find, format, property};

fn param(verb: Verb, path: &str, name: &str) -> &'static Param {
    find(verb, path).and_then(|method| method.param(name)).unwrap_or_else(|| panic!("{verb} {path} {name}"))
}

fn says(verb: Verb, path: &str, name: &str, value: &str) -> String {
    match check::named(param(verb, path, name), name, value) {
        Ok(()) => "ok".to_owned(),
        Err(problem) => problem.to_string(),
    }
}

const VM: &str = "/nodes/{node}/qemu";
const CT: &str = "/nodes/{node}/lxc";
const RULES: &str = "/nodes/{node}/qemu/{vmid}/firewall/rules";

#[test]
fn types_limits_and_lists_read_as_the_server_words_them() {
    for (path, name, value, wanted) in [
        (VM, "cores", "abc", "type check ('integer') failed - got 'abc'"),
        (VM, "cores", "1.5", "type check ('integer') failed - got '1.5'"),
        (VM, "cores", "", "type check ('integer') failed - got ''"),
        (VM, "cores", "0", "value must have a minimum value of 1"),
        (VM, "onboot", "yes", "type check ('boolean') failed - got 'yes'"),
        (VM, "onboot", "1", "ok"),
        (VM, "vmid", "99", "invalid format - value does not look like a valid VM ID\n"),
        (CT, "password", "abc", "value must be at least 5 characters long"),
        (CT, "memory", "8", "value must have a minimum value of 16"),
        (VM, "tags", "sp ace!", "invalid format - invalid characters in tag\n"),
        (VM, "tags", "", "ok"),
        (VM, "name", "obs_vm", "invalid format - value does not look like a valid DNS name\n"),
        (VM, "name", "a.b.example.org", "ok"),
        (VM, "sshkeys", "ssh-ed25519 AAAA obs", "invalid format - invalid urlencoded string: ssh-ed25519 AAAA obs\n"),
        (RULES, "type", "both", "value 'both' does not have a value in the enumeration 'in, out, forward, group'"),
        (RULES, "action", "allow it", "value does not match the regex pattern"),
        (RULES, "dport", "99999", "invalid format - invalid port '99999'\n"),
        ("/cluster/firewall/groups", "group", "obsobsobsobsobsobsobs", "value may only be 18 characters long"),
        (
            "/cluster/firewall/aliases",
            "cidr",
            "foo",
            "invalid format - value does not look like a valid IP address or CIDR network\n",
        ),
        (
            "/cluster/firewall/ipset/{name}",
            "cidr",
            "192.0.2.0/33",
            "invalid format - Prefix length 33 is longer than IP address (32)\n",
        ),
        ("/storage", "storage", "2obs", "invalid format - storage ID '2obs' contains illegal characters\n"),
        ("/storage", "path", "var", "invalid format - value does not look like a valid absolute path\n"),
        ("/access/users", "email", "foo", "invalid format - value does not look like a valid email address\n"),
        ("/access/users", "email", "", "ok"),
        ("/nodes/{node}/qemu/{vmid}/snapshot", "snapname", "x", "invalid format - invalid configuration ID 'x'\n"),
        ("/nodes/{node}/qemu/{vmid}/snapshot", "snapname", "ok", "ok"),
    ] {
        assert_eq!(says(Verb::Post, path, name, value), wanted, "{path} {name}={value}");
    }
    assert_eq!(
        says(Verb::Put, "/nodes/{node}/qemu/{vmid}/resize", "size", "+1g"),
        "value does not match the regex pattern"
    );
}

#[test]
fn property_strings_name_the_sub_key() {
    for (path, name, value, wanted) in [
        (VM, "net0", "virtio,bridge=vmbr0", "ok"),
        (
            VM,
            "net0",
            "bridge=vmbr0",
            "invalid format - format error\nnet0.model: property is missing and it is not optional\n",
        ),
        (
            VM,
            "net0",
            "virtio,bridge=vmbr0,bridge=vmbr1",
            "invalid format - duplicate key in comma-separated list property: bridge\n",
        ),
        (
            VM,
            "net0",
            "virtio=zz,bridge=vmbr0",
            "invalid format - format error\nnet0.macaddr: invalid format - value does not look like a valid unicast MAC address\n\n",
        ),
        (
            VM,
            "scsi0",
            "foo",
            "invalid format - format error\nscsi0.file: invalid format - unable to parse volume ID 'foo'\n\n",
        ),
        (
            VM,
            "scsi0",
            "d2:1,foo=1",
            "invalid format - format error\nscsi0.foo: property is not defined in schema and the schema does not allow additional properties\n",
        ),
        (
            VM,
            "scsi0",
            "d2:size=1G",
            "invalid format - format error\nscsi0.file: property is missing and it is not optional\nscsi0.d2:size: property is not defined in schema and the schema does not allow additional properties\n",
        ),
        (
            VM,
            "scsi0",
            "d2:1,format=foo",
            "invalid format - format error\nscsi0.format: value 'foo' does not have a value in the enumeration 'raw, qcow, qed, qcow2, vmdk, cloop'\n",
        ),
        (VM, "memory", "8", "invalid format - format error\nmemory.current: value must have a minimum value of 16\n"),
        (
            VM,
            "memory",
            "64M",
            "invalid format - format error\nmemory.current: type check ('integer') failed - got '64M'\n",
        ),
        (VM, "machine", "foo", "invalid format - format error\nmachine.type: value does not match the regex pattern\n"),
        (
            VM,
            "ipconfig0",
            "ip=1.2.3.4",
            "invalid format - format error\nipconfig0.ip: invalid format - value does not look like a valid ipv4 network configuration\n\n",
        ),
        (CT, "mp0", "d2:1", "invalid format - format error\nmp0.mp: property is missing and it is not optional\n"),
        (
            "/nodes/{node}/vzdump",
            "prune-backups",
            "keep-foo=1",
            "invalid format - format error\nprune-backups.keep-foo: property is not defined in schema and the schema does not allow additional properties\n",
        ),
    ] {
        assert_eq!(says(Verb::Post, path, name, value), wanted, "{path} {name}={value}");
    }
}

#[test]
fn repeated_values_follow_the_type() {
    let cores = param(Verb::Post, VM, "cores");
    let twice = check::value_list(cores, "cores", &["1", "2"]).expect_err("a scalar");
    assert_eq!(twice.to_string(), "type check ('integer') failed - got ARRAY");
    let vmids = param(Verb::Post, "/nodes/{node}/vzdump", "vmid");
    assert_eq!(check::value_list(vmids, "vmid", &["100", "101"]), Ok(()));
    let vms = param(Verb::Post, "/cluster/bulk-action/guest/start", "vms");
    let wrong = check::value_list(vms, "vms", &["100", "x"]).expect_err("one is not a number");
    assert!(matches!(&wrong, Problem::Item { index: 1, .. }), "{wrong:?}");
    assert_eq!(check::named(vms, "vms", "100"), Ok(()));
}

#[test]
fn formats_know_their_edges() {
    for (format, good, bad) in [
        ("ip", vec!["192.0.2.1", "2001:db8::1"], vec!["192.0.2.256", "a", "1.2.3"]),
        ("CIDR", vec!["192.0.2.0/24", "2001:db8::/32"], vec!["192.0.2.0", "192.0.2.0/7", "192.0.2.0/+8", "x/24"]),
        ("FullRangeCIDR", vec!["0.0.0.0/0", "::/0"], vec!["0.0.0.0/33", "::"]),
        ("mac-addr", vec!["BC:24:11:00:00:01"], vec!["BD:24:11:00:00:01", "BC:24:11:00:00"]),
        ("pve-userid", vec!["root@pam", "a b@x"], vec!["root", "a@", "x"]),
        ("pve-vmid-list", vec!["100,101", "", "100 ; 101"], vec!["100,x"]),
        ("disk-size", vec!["10", "1.5G", "32M"], vec!["10GB", "1g", "G"]),
        ("pve-poolid", vec!["a", "a/b/c"], vec!["a/b/c/d", "a b"]),
        ("ipv4mask", vec!["255.255.255.0", "0.0.0.0"], vec!["255.0.255.0", "24"]),
        ("pve-vlan-id-or-range", vec!["2", "2-4094"], vec!["1", "10-5", "a", "5000"]),
        ("pve-iface", vec!["vmbr0", "eth0.10"], vec!["0eth", "a-b"]),
        ("no-such-format", vec!["anything"], vec![]),
    ] {
        for text in good {
            if text != "a b@x" {
                assert_eq!(format::check(format, text), Ok(()), "{format} {text}");
            }
        }
        for text in bad {
            assert!(format::check(format, text).is_err(), "{format} {text}");
        }
    }
}

#[test]
fn property_strings_resolve_aliases_and_write_back() {
    let net = param(Verb::Post, VM, "net0").keys;
    let pairs = property::parse(net, "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=yes").expect("well formed");
    let wanted = [("model", "virtio"), ("macaddr", "BC:24:11:00:00:01"), ("bridge", "vmbr0"), ("firewall", "1")];
    assert_eq!(pairs, wanted.map(|(key, value)| (key, value.to_owned())));
    let owned = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
    };
    let text = property::print(net, &owned(&[("bridge", "vmbr0"), ("firewall", "true"), ("model", "virtio")]));
    assert_eq!(text.as_deref(), Ok("virtio,bridge=vmbr0,firewall=1"));
    let comma = property::print(net, &owned(&[("model", "virtio"), ("bridge", "a,b")])).expect_err("no escape exists");
    assert_eq!(comma.plain(), "bridge: value must not contain a comma");
    let unknown = property::print(net, &owned(&[("model", "virtio"), ("brigde", "a")])).expect_err("unknown");
    assert!(unknown.plain().starts_with("brigde: property is not defined"), "{unknown}");
    let empty = property::print(net, &[]).expect_err("a model is needed");
    assert_eq!(empty.plain(), "model: property is missing and it is not optional");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        model in prop::sample::select(vec!["virtio", "e1000", "vmxnet3"]),
        bridge in prop::option::of("[a-z][a-z0-9_.-]{0,8}"),
        tag in prop::option::of(1u32..=4094),
        firewall in prop::option::of(any::<bool>()),
        rate in prop::option::of(0u32..1000),
    ) {
        let net = param(Verb::Post, VM, "net0").keys;
        let mut pairs = vec![("model".to_owned(), model.to_owned())];
        pairs.extend(bridge.map(|bridge| ("bridge".to_owned(), bridge)));
        pairs.extend(tag.map(|tag| ("tag".to_owned(), tag.to_string())));
        pairs.extend(firewall.map(|on| ("firewall".to_owned(), u8::from(on).to_string())));
        pairs.extend(rate.map(|rate| ("rate".to_owned(), rate.to_string())));
        let text = property::print(net, &pairs).expect("every value is good");
        let read = property::parse(net, &text).expect("what was written is well formed");
        let read: Vec<(String, String)> = read.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        prop_assert_eq!(read, pairs);
    }

    #[test]
    fn no_text_upsets_the_reader(text in ".{0,60}") {
        for name in ["net0", "scsi0", "ipconfig0", "boot", "agent", "cpu"] {
            let _ = check::named(param(Verb::Post, VM, name), name, &text);
        }
    }
}
