//! Everyday requests find the method that does them: two lists, one written before there was anything to search with.

use proxmox_mcp::search::search;

/// How many of a list's requests have a right method among the first three, and how many there are.
fn found(list: &str) -> (usize, usize) {
    let (mut right, mut all) = (0, 0);
    for line in list.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let mut parts = line.split('|').map(str::trim);
        let request = parts.next().unwrap();
        let wanted: Vec<String> = parts.flat_map(both_kinds).collect();
        for call in &wanted {
            let (verb, path) = call.split_once(' ').unwrap();
            let verb = proxmox_spec::Verb::parse(verb).unwrap();
            assert!(proxmox_spec::find(verb, path).is_some(), "`{request}` names `{call}`, which does not exist");
        }
        let hits = search(request, 3);
        let call = |method: &proxmox_spec::Method| format!("{} {}", method.verb, method.path);
        all += 1;
        if hits.iter().any(|hit| wanted.contains(&call(hit.method))) {
            right += 1;
        } else {
            let hits: Vec<String> = hits.iter().map(|hit| call(hit.method)).collect();
            println!("missed: {request}\n  wanted {}\n  found  {}", wanted.join(", "), hits.join(", "));
        }
    }
    (right, all)
}

fn both_kinds(call: &str) -> Vec<String> {
    if !call.contains("{guest}") {
        return vec![call.to_owned()];
    }
    ["qemu", "lxc"].map(|kind| call.replace("{guest}", &format!("/nodes/{{node}}/{kind}/{{vmid}}"))).to_vec()
}

#[test]
fn nine_of_ten_everyday_requests_find_their_method() {
    let (right, all) = found(include_str!("search/requests.txt"));
    println!("{right} of {all}");
    assert_eq!(all, 100);
    assert!(right >= 90, "{right} of {all}");
}

#[test]
fn so_do_requests_that_were_written_later() {
    let (right, all) = found(include_str!("search/fresh.txt"));
    println!("{right} of {all}");
    assert!(right * 4 >= all * 3, "{right} of {all}");
}
