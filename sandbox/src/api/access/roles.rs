//! Roles: the server's own, which nobody changes, and others.

use serde_json::{Value, json};

use super::acl::forget;
use crate::{
    answer::{Failure, Reply, done, ok},
    auth::{PRIVILEGES, is_built_in},
    cluster::Cluster,
    request::{Call, split_list},
};

/// The privileges of a call, in order; an unknown one is an error of the parameter.
fn privileges(call: &Call) -> Result<Vec<String>, Failure> {
    let mut privileges = call.args.list("privs");
    if let Some(unknown) = privileges.iter().find(|name| !PRIVILEGES.contains(&name.as_str())) {
        return Err(Failure::param("privs", format!("invalid format - invalid privilege '{unknown}'\n")));
    }
    privileges.sort();
    privileges.dedup();
    Ok(privileges)
}

/// POST /access/roles
pub(super) fn create(cluster: &mut Cluster, call: &Call) -> Reply {
    let roleid = call.args.need("roleid");
    let privileges = privileges(call)?;
    if roleid.to_lowercase().starts_with("pve") {
        let text = "cannot use role ID starting with the (case-insensitive) 'PVE' namespace";
        return Err(Failure::param("roleid", text));
    }
    let path = format!("{}/{roleid}", call.path);
    if cluster.store.has(&path) {
        return Err(Failure::die(format!("create role failed: role '{roleid}' already exists")));
    }
    let fields = json!({ "privs": privileges.join(","), "special": 0 });
    cluster.store.put(&path, &call.path, "roleid", roleid, fields);
    done()
}

/// GET /access/roles/{roleid}
pub(super) fn read(cluster: &mut Cluster, call: &Call) -> Reply {
    let fields = cluster.store.get(&call.path).ok_or_else(|| unknown(call, ""))?;
    let privileges = fields.get("privs").and_then(Value::as_str).map(split_list).unwrap_or_default();
    ok(privileges.into_iter().map(|privilege| (privilege, json!(1))).collect::<Value>())
}

fn unknown(call: &Call, prefix: &str) -> Failure {
    Failure::die(format!("{prefix}role '{}' does not exist", call.args.need("roleid")))
}

/// PUT /access/roles/{roleid}
pub(super) fn change(cluster: &mut Cluster, call: &Call) -> Reply {
    let roleid = call.args.need("roleid");
    let mut privileges = privileges(call)?;
    if is_built_in(roleid) {
        return Err(Failure::die(format!("auto-generated role '{roleid}' cannot be modified")));
    }
    let Some(fields) = cluster.store.get_mut(&call.path) else { return Err(unknown(call, "")) };
    if call.args.flag("append") {
        let before = fields.get("privs").and_then(Value::as_str).map(split_list);
        privileges.extend(before.unwrap_or_default());
        privileges.sort();
        privileges.dedup();
    }
    fields.insert("privs".to_owned(), json!(privileges.join(",")));
    done()
}

/// DELETE /access/roles/{roleid}: nobody has it any more.
pub(super) fn delete(cluster: &mut Cluster, call: &Call) -> Reply {
    let roleid = call.args.need("roleid");
    if is_built_in(roleid) {
        return Err(Failure::die(format!("auto-generated role '{roleid}' cannot be deleted")));
    }
    if !cluster.store.remove(&call.path) {
        return Err(unknown(call, "delete role failed: "));
    }
    forget(cluster, |entry| entry.get("roleid") == Some(&json!(roleid)));
    done()
}
