//! What stood on the recorded node, and what was done there between the recorded requests.

use std::collections::BTreeMap;

use proxmox_sandbox::{Layout, Options, Sandbox};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    client::{Answer, Client},
    send::encode,
};

/// The byte that uploaded files consist of.
pub const UPLOADED: u8 = b'o';

/// The sandbox, and what is known of the present run.
pub struct World {
    pub sandbox: Sandbox,
    pub client: Client,
    pub token: String,
    /// Of a user with the role PVEAuditor on `/`.
    pub audit_token: String,
    /// A token with separate privileges and none of them.
    pub bare_token: String,
    marks: BTreeMap<String, String>,
}

/// Milliseconds between two recorded requests.
const BETWEEN: u32 = 50;

/// The recorded virtual machine.
const MACHINE: &str = "vmid=2000&name=obs-vm&memory=64&cores=1&kvm=0&ostype=l26&scsihw=virtio-scsi-single\
                       &scsi0=d2%3A1%2Cformat%3Dqcow2&net0=virtio%2Cbridge%3Dvmbr0";

/// The recorded container.
const CONTAINER: &str = "vmid=2100&ostemplate=local%3Avztmpl%2Ftiny-1.0_amd64.tar.gz&ostype=unmanaged&hostname=obs-ct\
                         &memory=64&swap=0&cores=1&rootfs=d2%3A1&net0=name%3Deth0%2Cbridge%3Dvmbr0%2Cip%3Ddhcp";

impl World {
    /// The recorded node: a second storage, an installation medium, a template, an auditor and its tokens.
    pub async fn start() -> World {
        let options = Options { layout: Layout::Standalone, ..Options::default() };
        let sandbox = Sandbox::start(options).await.expect("starts");
        let client = Client::new(&sandbox);
        let token = sandbox.token().to_owned();
        let marks = BTreeMap::new();
        let mut world = World { sandbox, client, token, audit_token: String::new(), bare_token: String::new(), marks };
        let second = "storage=d2&type=dir&path=%2Fvar%2Flib%2Fvz2&content=rootdir%2Cvztmpl%2Cimages%2Ciso%2Cbackup";
        world.post("/storage", second).await;
        world.upload("iso", "pve-real.iso", 1 << 20).await;
        world.upload("vztmpl", "tiny-1.0_amd64.tar.gz", 1_036_626).await;
        world.post("/access/users", "userid=obsaudit%40pve").await;
        let token = |answer: Answer| {
            let data = &answer.json()["data"];
            format!("{}={}", data["full-tokenid"].as_str().expect("an id"), data["value"].as_str().expect("a secret"))
        };
        world.audit_token = token(world.call("POST", "/access/users/obsaudit@pve/token/ro", "privsep=0").await);
        world.bare_token = token(world.call("POST", "/access/users/obsaudit@pve/token/sep", "privsep=1").await);
        let acl = "path=%2F&users=obsaudit%40pve&roles=PVEAuditor";
        assert_eq!(world.call("PUT", "/access/acl", acl).await.status, 200);
        world.define("{sum}", hex(&Sha256::digest([UPLOADED; 300])));
        world
    }

    /// Does what was done on the node right before this record.
    pub async fn prepare(&mut self, id: &str) {
        match id {
            "vm.put.ok"
            | "vm.clone.full"
            | "vm.protection.set"
            | "vm.delete.volume-in-use"
            | "fw.vm.index"
            | "proto.delete-with-body"
            | "vm.get.list" => self.fresh_machine().await,
            "ct.put.ok" | "vzdump.ct.zstd" | "lock.ct.set-by-token" | "fw.ct.index" => self.fresh_container().await,
            "vm.snapshot.create" => {
                self.fresh_machine().await;
                self.task("POST", "/nodes/pve1/qemu", "vmid=2003&scsi0=d2%3A1").await;
            }
            "vm.stop.stopped" => {
                self.fresh_machine().await;
                self.change("description=x").await;
            }
            "lock.vm.config" => {
                self.fresh_machine().await;
                self.sandbox.with_cluster(|cluster| cluster.set_lock(2000, Some("backup")));
            }
            "lock.vm.start-after-unlock" => self.sandbox.with_cluster(|cluster| cluster.set_lock(2000, None)),
            "task.ok.status" => {
                self.fresh_machine().await;
                let upid = self.task("POST", "/nodes/pve1/qemu/2000/config", "description=for%20a%20task").await;
                self.define("{u0-cut}", upid.trim_end_matches(':').to_owned());
                self.define("{u0-elsewhere}", upid.replacen("pve1", "obsnone", 1));
                self.define("{u0-encoded}", encode(&upid));
                self.define("{u0}", upid);
            }
            "vm.put.digest-ok" => {
                let config = self.call("GET", "/nodes/pve1/qemu/2000/config", "").await.json();
                self.define("{d0}", config["data"]["digest"].as_str().expect("a digest").to_owned());
            }
            "task.failed.status" => {
                let upid = self.fill("{u1}");
                self.wait(&upid).await;
            }
            "vm.get.firewall-refs" => self.post("/cluster/firewall/aliases", "name=obsup&cidr=192.0.2.8").await,
            "fw.cluster.index" => {
                self.call("DELETE", "/cluster/firewall/aliases/obsup", "").await;
            }
            "vm.put.detach-disk" => self.change("delete=net1").await,
            "vm.put.delete-unused" => self.change("delete=scsi1").await,
            "vm.monitor.ok" => self.change("revert=scsi0").await,
            "vm.shutdown.for-overrule" => {
                self.task("POST", "/nodes/pve1/qemu/2000/status/start", "").await;
            }
            "task.warning.start" => self.change("ide2=cdrom%2Cmedia%3Dcdrom").await,
            "race.vm.clone" => {
                self.task("POST", "/nodes/pve1/qemu/2080/status/stop", "").await;
            }
            "vm.delete.without-purge" => {
                self.post("/pools", "poolid=obspool").await;
                assert_eq!(self.call("PUT", "/pools", "poolid=obspool&vms=2000").await.status, 200);
                self.post("/cluster/backup", "id=obsjob&vmid=2000%2C2001&storage=d2&schedule=sat%2003%3A00&enabled=0")
                    .await;
            }
            "vm.delete.after.firewall-of-recreated" => self.fresh_machine().await,
            "ct.create.ok" => {
                self.call("DELETE", "/cluster/backup/obsjob", "").await;
                self.call("DELETE", "/pools", "poolid=obspool").await;
            }
            "ct.template.config-2s-later" => {
                self.sandbox.with_cluster(|cluster| cluster.set_step(2_000));
                self.call("GET", "/version", "").await;
                self.sandbox.with_cluster(|cluster| cluster.set_step(BETWEEN));
            }
            "ct.stop.stopped" => {
                self.call("PUT", "/nodes/pve1/lxc/2100/config", "delete=description").await;
            }
            "ct.delete.running-force" => {
                self.sandbox.with_cluster(|cluster| cluster.set_option(2100, "protection", "0"));
                self.task("POST", "/nodes/pve1/lxc/2100/status/start", "").await;
            }
            "restore.ct.force-running" => {
                self.task("POST", "/nodes/pve1/lxc/2100/status/start", "").await;
            }
            "restore.ct.existing-with-force" => {
                self.task("POST", "/nodes/pve1/lxc/2100/status/stop", "").await;
            }
            "restore.vm.existing-without-force" => self.fresh_machine().await,
            "pool.delete" => {
                self.call("PUT", "/pools", "poolid=obspool&vms=2100%2C2999&storage=d2%2Cobsnone&delete=1").await;
            }
            "fw.group.use-in-rule" => {
                self.call("DELETE", "/cluster/firewall/groups/obsgrp2/0", "").await;
            }
            "cluster.options" => {
                self.call("PUT", "/cluster/options", "description=").await;
            }
            "nextid.taken" => self.fresh_machine().await,
            "node.netstat" => {
                self.task("POST", "/nodes/pve1/qemu/2000/status/start", "").await;
            }
            "ha.create" | "denied.audit.qemu-list" => self.fresh_machine().await,
            _ => {}
        }
        let guests: &[u32] = match id {
            "vm.get.list" => &[2000, 2001, 2060],
            "vm.stop.stopped" => &[2000],
            "ct.get.list" => &[2000, 2100],
            "lock.ct.set-by-token" => &[2000, 2100, 2180],
            "storage.list" => &[2000, 2001, 2060, 2080, 2100, 2180],
            "cluster.resources.all" | "denied.audit.qemu-list" | "proto.get.full-1" => &[2000, 2001, 2060, 2100],
            _ => return,
        };
        self.only(guests).await;
    }

    /// Removes all guests but these, and all archives.
    async fn only(&mut self, kept: &[u32]) {
        // Templates go after their clones, which have higher ids.
        let rows = self.call("GET", "/cluster/resources", "type=vm").await.json()["data"].clone();
        let mut ids: Vec<String> = Vec::new();
        for row in rows.as_array().into_iter().flatten() {
            let vmid = row["vmid"].as_u64().and_then(|vmid| u32::try_from(vmid).ok()).expect("an id");
            if !kept.contains(&vmid) {
                ids.push(row["id"].as_str().expect("an id").to_owned());
            }
        }
        ids.sort_by(|one, other| other.cmp(one));
        for id in ids {
            self.away(&format!("/nodes/pve1/{id}"), "").await;
        }
        for storage in ["local", "d2"] {
            let path = format!("/nodes/pve1/storage/{storage}/content");
            let rows = self.call("GET", &path, "").await.json()["data"].clone();
            for row in rows.as_array().into_iter().flatten() {
                let volid = row["volid"].as_str().expect("a volume");
                let lasting = ["local:iso/pve-real.iso", "local:vztmpl/tiny-1.0_amd64.tar.gz"].contains(&volid);
                let owned = row["vmid"].as_u64().is_some_and(|owner| kept.iter().any(|vmid| u64::from(*vmid) == owner));
                if !lasting && (row["content"] == "backup" || !owned) {
                    self.call("PUT", &format!("{path}/{}", encode(volid)), "protected=0").await;
                    self.task("DELETE", &format!("{path}/{}", encode(volid)), "").await;
                }
            }
        }
    }

    /// Changes the virtual machine's configuration.
    async fn change(&mut self, form: &str) {
        let answer = self.call("PUT", "/nodes/pve1/qemu/2000/config", form).await;
        assert_eq!(answer.status, 200, "{form}: {answer:?}");
    }

    /// A stopped virtual machine 2000 as it was recorded, whose system does not listen and has no agent.
    async fn fresh_machine(&mut self) {
        self.away("/nodes/pve1/qemu/2000", "overrule-shutdown=1").await;
        self.task("POST", "/nodes/pve1/qemu", MACHINE).await;
        self.sandbox.with_cluster(|cluster| {
            cluster.set_agent(2000, false);
            cluster.set_deaf(2000, true);
        });
    }

    async fn fresh_container(&mut self) {
        self.away("/nodes/pve1/lxc/2100", "").await;
        self.task("POST", "/nodes/pve1/lxc", CONTAINER).await;
    }

    /// Stops and removes a guest, if it is there.
    async fn away(&mut self, path: &str, how: &str) {
        if self.call("GET", &format!("{path}/config"), "").await.status != 200 {
            return;
        }
        let vmid = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
        self.sandbox.with_cluster(|cluster| {
            cluster.set_lock(vmid, None);
            cluster.set_option(vmid, "protection", "0");
        });
        let stop = self.call("POST", &format!("{path}/status/stop"), how).await;
        if let Some(upid) = stop.json()["data"].as_str() {
            self.wait(upid).await;
        }
        self.task("DELETE", path, "").await;
    }

    async fn upload(&mut self, content: &str, name: &str, size: usize) {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\n{content}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"{name}\"\r\n\r\n{}\r\n--b--\r\n",
            "o".repeat(size)
        );
        let headers = [
            ("Authorization".to_owned(), format!("PVEAPIToken={}", self.token)),
            ("Content-Type".to_owned(), "multipart/form-data; boundary=b".to_owned()),
        ];
        let target = "/api2/json/nodes/pve1/storage/local/upload";
        let answer = self.client.send("POST", target, &headers, Some(body.into_bytes())).await;
        let upid = answer.json()["data"].as_str().expect("a task").to_owned();
        assert_eq!(self.wait(&upid).await, "OK");
    }

    /// Sends a form, or a query for GET and DELETE, with the token.
    pub async fn call(&mut self, method: &str, path: &str, form: &str) -> Answer {
        let mut headers = vec![("Authorization".to_owned(), format!("PVEAPIToken={}", self.token))];
        if matches!(method, "GET" | "DELETE") {
            let target = if form.is_empty() { format!("/api2/json{path}") } else { format!("/api2/json{path}?{form}") };
            return self.client.send(method, &target, &headers, None).await;
        }
        headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        self.client.send(method, &format!("/api2/json{path}"), &headers, Some(form.as_bytes().to_vec())).await
    }

    async fn post(&mut self, path: &str, form: &str) {
        let answer = self.call("POST", path, form).await;
        assert_eq!(answer.status, 200, "{path} {form}: {answer:?}");
    }

    /// Calls, and waits for a good end; answers the task's id.
    async fn task(&mut self, method: &str, path: &str, form: &str) -> String {
        let answer = self.call(method, path, form).await;
        let Some(upid) = answer.json()["data"].as_str().map(str::to_owned) else { panic!("{path} {form}: {answer:?}") };
        assert_eq!(self.wait(&upid).await, "OK", "{method} {path} {form}");
        upid
    }

    /// Asks until a task is over, and answers its exit status.
    pub async fn wait(&mut self, upid: &str) -> String {
        let path = format!("/nodes/pve1/tasks/{upid}/status");
        self.sandbox.with_cluster(|cluster| cluster.set_step(1_000));
        let mut end = "still running".to_owned();
        for _ in 0..400 {
            let status = self.call("GET", &path, "").await.json();
            if status["data"]["status"] == "stopped" {
                end = status["data"]["exitstatus"].as_str().unwrap_or_default().to_owned();
                break;
            }
        }
        self.sandbox.with_cluster(|cluster| cluster.set_step(BETWEEN));
        end
    }

    pub async fn log(&mut self, upid: &str) -> Vec<String> {
        let log = self.call("GET", &format!("/nodes/pve1/tasks/{upid}/log"), "limit=0").await.json();
        let line = |line: &Value| line["t"].as_str().unwrap_or_default().to_owned();
        log["data"].as_array().map(|lines| lines.iter().map(line).collect()).unwrap_or_default()
    }

    /// Ticket and CSRF token of the user with a password, given just now: hours pass between the first and the last
    /// recorded request.
    pub async fn log_in(&mut self) -> (String, String) {
        let form = format!("username={}&password={}", encode(proxmox_sandbox::USER), encode(self.sandbox.password()));
        let headers = [("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let answer = self.client.send("POST", "/api2/json/access/ticket", &headers, Some(form.into_bytes())).await;
        let data = answer.json()["data"].clone();
        let text = |name: &str| data[name].as_str().expect("a text").to_owned();
        let pair = (text("ticket"), text("CSRFPreventionToken"));
        self.define("<TICKET>", pair.0.clone());
        self.define("<ENCODED-TICKET>", encode(&pair.0));
        self.define("<WRONG-TICKET>", encode(&pair.0.replace("PVE:", "PVE:x")));
        pair
    }

    /// From now on `mark` in a request means this.
    pub fn define(&mut self, mark: &str, value: String) {
        self.marks.insert(mark.to_owned(), value);
    }

    /// A text with its marks filled in.
    pub fn fill(&self, text: &str) -> String {
        let secret = self.token.split_once('=').map_or("", |(_, secret)| secret);
        let text = text
            .replace("root@pam!oracle", "root@pam!mcp")
            .replace("root%40pam%21oracle", "root%40pam%21mcp")
            .replace("<TOKEN-SECRET>", secret)
            .replace("<PASSWORD>", self.sandbox.password());
        self.marks.iter().fold(text, |text, (mark, value)| text.replace(mark, value))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
