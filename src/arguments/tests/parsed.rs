//! Segments, task ids, volume ids and sizes on their own.

use crate::arguments::{BadSegment, BadSize, BadVolid, Segment, Size, Upid, Volid};
use crate::tool::Kind;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_segment_decodes_to_what_was_given(text in "\\PC{0,40}|[-a-zA-Z0-9%/.?#:@ ]{0,20}") {
        for segment in [Segment::new(text.as_str()), Segment::remainder(text.as_str())].into_iter().flatten() {
            let encoded = segment.encoded();
            let decoded = percent_decode_str(&encoded).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(&decoded, &text);
            prop_assert!(!encoded.contains(['/', '?', '#', '&', ';', '+', ' ']));
            let escapes = encoded.bytes().filter(|byte| *byte == b'%').count();
            let reserved = text.bytes().filter(|byte| !(byte.is_ascii_alphanumeric() || b"-._~".contains(byte))).count();
            prop_assert_eq!(escapes, reserved, "every percent sign begins an escape");
        }
    }

    #[test]
    fn no_encoding_hides_a_way_up(rounds in 0usize..5, upper in any::<bool>()) {
        let mut text = if upper { "%2E%2E" } else { "%2e%2e" }.to_owned();
        for _ in 0..rounds {
            text = text.replace('%', "%25");
        }
        prop_assert_eq!(Segment::new(text.as_str()), Err(BadSegment::Encoded));
        let inside = Segment::remainder(["a/", &text, "/b"].concat());
        prop_assert!(inside.is_err());
    }

    #[test]
    fn no_text_breaks_a_parser(text in "\\PC{0,40}|UPID:[a-f0-9:@!/]{0,60}|[+0-9.]{0,30}[a-zA-Z]{0,3}") {
        let _ = Upid::parse(&text);
        let _ = Volid::parse(&text, Some("local")).map(|volid| (volid.kind(), volid.vmid()));
        let _ = Size::parse(&text).map(|size| (size.gib(), size.api()));
    }

    #[test]
    fn a_size_survives_being_written(bytes in 1u64..=u64::MAX >> 1, grow in any::<bool>()) {
        let size = Size { bytes, grow };
        let written = size.api();
        let written = if written.ends_with(|letter: char| letter.is_ascii_digit()) { written + "b" } else { written };
        prop_assert_eq!(Size::parse(&written), Ok(size));
        // GiB are exact down to the KiB that fractions are rounded to.
        let whole = Size { bytes: bytes >> 10 << 10, grow: false };
        if whole.bytes > 0 && whole.bytes < 1 << 50 {
            prop_assert_eq!(Size::parse(&whole.gib()).map(|size| size.bytes.abs_diff(whole.bytes) <= 1 << 10), Ok(true));
        }
    }
}

#[test]
fn segments_refuse_what_would_change_the_path() {
    let cases = [
        ("", BadSegment::Empty),
        (".", BadSegment::Dots),
        ("..", BadSegment::Dots),
        ("a/b", BadSegment::Slash),
        ("a\nb", BadSegment::Control),
        ("a\0", BadSegment::Control),
        ("a%2Fb", BadSegment::Encoded),
        ("%00", BadSegment::Encoded),
        ("%252e", BadSegment::Encoded),
    ];
    for (text, bad) in cases {
        assert_eq!(Segment::new(text), Err(bad), "{text:?}");
    }
    assert_eq!(Segment::new("x".repeat(1025)), Err(BadSegment::Long));
    assert!(Segment::new("100%").is_ok() && Segment::new("a..b").is_ok());
    for text in ["/a", "a/", "a//b", "a/../b", "a/%2e%2e/b"] {
        assert!(Segment::remainder(text).is_err(), "{text}");
    }
}

#[test]
fn a_task_id_is_taken_apart() {
    let text = "UPID:pve-1:0000ABCD:012345678:65A00000:vzdump::root@pam!ai:";
    let upid = Upid::parse(text).unwrap();
    assert_eq!((upid.text(), upid.segment().as_str(), upid.node().as_str()), (text, text, "pve-1"));
    assert_eq!((upid.task_type(), upid.id(), upid.user(), upid.start()), ("vzdump", "", "root@pam!ai", 0x65A0_0000));
    assert_eq!(Upid::parse(&format!("  {} ", text.trim_end_matches(':'))), Ok(upid));
    let bad = [
        "",
        "UPID:pve1",
        "UPID:-pve:0000ABCD:01234567:65A00000:t:1:u:",
        "UPID:pve1:ABCD:01234567:65A00000:t:1:u:",
        "UPID:pve1:0000ABCG:01234567:65A00000:t:1:u:",
        "UPID:pve1:0000ABCD:01234567:65A00000::1:u:",
        "UPID:pve1:0000ABCD:01234567:65A00000:t:1/2:u:",
        "UPID:pve1:0000ABCD:01234567:65A00000:t:1::",
        "UPID:pve1:0000ABCD:01234567:65A00000:t:1:u::",
        "UPID:pve1:0000ABCD:01234567:65A00000:t:%2e%2F:u:",
    ];
    for text in bad {
        assert!(Upid::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_volume_id_tells_what_its_name_tells() {
    let cases = [
        ("local:backup/vzdump-qemu-100-2026_01_31-10_00_00.vma.zst", Some(Kind::Qemu), Some(100)),
        ("local:vzdump-lxc-2100-2026_01_31-10_00_00.tar.zst", Some(Kind::Lxc), Some(2100)),
        ("pbs:backup/vm/100/2026-01-31T10:00:00Z", Some(Kind::Qemu), Some(100)),
        ("pbs:ct/200/2026-01-31T10:00:00Z", Some(Kind::Lxc), Some(200)),
        ("pbs:backup/host/x/2026-01-31T10:00:00Z", None, None),
        ("local:backup/my-own.vma", None, None),
        ("local:backup/vzdump-qemu-00-2026_01_31-10_00_00.vma.zst", Some(Kind::Qemu), None),
        ("local-lvm:vm-100-disk-0", None, None),
        ("local:iso/vm/100/x", None, None),
    ];
    for (text, kind, vmid) in cases {
        let volid = Volid::parse(text, None).unwrap();
        assert_eq!((volid.kind(), volid.vmid()), (kind, vmid), "{text}");
    }
}

#[test]
fn a_backup_server_name_joins_its_storage() {
    let volid = Volid::parse("vm/100/2026-01-31T10:00:00Z", Some("pbs")).unwrap();
    assert_eq!(volid.full(), "pbs:backup/vm/100/2026-01-31T10:00:00Z");
    assert_eq!(volid.storage().as_str(), "pbs");
    assert_eq!(volid.segment().encoded(), "pbs%3Abackup%2Fvm%2F100%2F2026-01-31T10%3A00%3A00Z");
}

#[test]
fn bad_volume_ids_say_why() {
    let cases = [
        ("x.iso", None, BadVolid::NoStorage),
        ("vm/100/2026-01-31T10:00:00Z", None, BadVolid::NoStorage),
        ("local:", None, BadVolid::NoVolume),
        ("local:a,size=1T", None, BadVolid::Comma),
        ("/dev/sda", Some("local"), BadVolid::Absolute),
        ("local:x", Some("nfs"), BadVolid::OtherStorage),
        ("-:x", None, BadVolid::StorageName),
        ("local:a/../b", None, BadVolid::Path(BadSegment::Dots)),
        ("local:../b", None, BadVolid::Path(BadSegment::Dots)),
        ("local:%2e%2e/b", None, BadVolid::Path(BadSegment::Encoded)),
    ];
    for (text, storage, bad) in cases {
        assert_eq!(Volid::parse(text, storage), Err(bad), "{text}");
    }
}

#[test]
fn sizes_in_any_notation() {
    let cases = [
        ("32G", "32", "32G"),
        ("32 GB", "32", "32G"),
        ("32GiB", "32", "32G"),
        ("32 g", "32", "32G"),
        ("32", "32", "32G"),
        ("0.5T", "512", "512G"),
        ("512M", "0.5", "512M"),
        ("+10G", "10", "+10G"),
        ("+ 1.5 TiB", "1536", "+1536G"),
        (".5G", "0.5", "512M"),
        ("1024 MiB", "1", "1G"),
        ("2P", "2097152", "2048T"),
        ("1536 bytes", "0.000001430511474609375", "1536"),
        ("0.1G", "0.1000003814697265625", "104858K"),
    ];
    for (text, gib, api) in cases {
        let size = Size::parse(text).unwrap_or_else(|bad| panic!("{text} {bad}"));
        assert_eq!((size.gib().as_str(), size.api().as_str()), (gib, api), "{text}");
    }
    let bad = [
        ("", BadSize::Form),
        ("G", BadSize::Form),
        ("1.2.3G", BadSize::Form),
        (".", BadSize::Form),
        ("5X", BadSize::Unit),
        ("5 G B", BadSize::Unit),
        ("0", BadSize::Zero),
        ("-1G", BadSize::Negative),
        ("99999999999999999999", BadSize::Large),
        ("99999999P", BadSize::Large),
    ];
    for (text, wanted) in bad {
        assert_eq!(Size::parse(text), Err(wanted), "{text:?}");
    }
}
