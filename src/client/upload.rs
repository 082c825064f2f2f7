//! The body of an upload: form fields in the order that the server insists on, then the file, with a known length.
//!
//! Knows which local files may be read: regular ones below one folder, links not followed. Reads nothing else.

use super::request::PreparedRequest;
use super::trouble::Trouble;
use crate::arguments::FileSource;
use bytes::Bytes;
use futures_util::stream;
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use std::path::{Component, Path, PathBuf};
use tokio::io::AsyncReadExt;

/// The server matches fields in this order and reads nothing after the file.
const ORDER: [&str; 3] = ["content", "checksum-algorithm", "checksum"];
/// The name that the file's part must have; its value names the file on the storage.
const FILE: &str = "filename";
const CHUNK: usize = 256 * 1024;

/// A form that is ready to be sent, and the size of its file in bytes.
pub struct Upload {
    pub form: Form,
    pub size: u64,
}

/// Opens the file (if it is one) and builds the form.
///
/// # Errors
/// [`Trouble::File`]: the file may not be read, or cannot be. Nothing was sent then.
pub async fn prepare(request: &PreparedRequest, file: &FileSource, folder: Option<&Path>) -> Result<Upload, Trouble> {
    let (part, size, own_name) = match file {
        FileSource::Bytes(bytes) => {
            let size = bytes.len() as u64;
            (Part::stream_with_length(Body::from(Bytes::copy_from_slice(bytes)), size), size, None)
        }
        FileSource::Path(path) => {
            let path = locate(path, folder)?;
            let (file, size) = open(&path).await?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            (Part::stream_with_length(Body::wrap_stream(chunks(file, size)), size), size, name)
        }
    };
    let name = request.value(FILE).map(str::to_owned).or(own_name).unwrap_or_default();
    if name.is_empty() || name.chars().any(|letter| letter.is_control() || "\"\\/".contains(letter)) {
        return Err(Trouble::File(format!("`{}` is no file name for a storage", name.escape_debug())));
    }
    let mut form = Form::new().percent_encode_noop();
    for field in ORDER {
        if let Some(value) = request.value(field) {
            form = form.text(field, value.to_owned());
        }
    }
    Ok(Upload { form: form.part(FILE, part.file_name(name)), size })
}

/// The file behind a path below the upload folder.
fn locate(path: &str, folder: Option<&Path>) -> Result<PathBuf, Trouble> {
    let refused = |says: String| Err(Trouble::File(says));
    let Some(folder) = folder else {
        return refused(
            "local files cannot be uploaded: PROXMOX_UPLOAD_DIR (--upload-dir) is not set on this server. Give the \
             content as base64 (at most 8 MiB), or let the node fetch the file by itself from a URL."
                .to_owned(),
        );
    };
    let Ok(root) = folder.canonicalize() else {
        return refused(format!("PROXMOX_UPLOAD_DIR ({}) is not there or cannot be read", folder.display()));
    };
    let given = Path::new(path);
    let inside = match given.strip_prefix(folder).or_else(|_| given.strip_prefix(&root)) {
        Ok(inside) => inside,
        Err(_) if given.is_relative() => given,
        Err(_) => return refused(format!("`{path}` is not below the upload folder; give a path relative to it")),
    };
    let mut place = root.clone();
    for component in inside.components() {
        match component {
            Component::Normal(name) => place.push(name),
            Component::CurDir => continue,
            _ => return refused(format!("`{path}` leads out of the upload folder")),
        }
        match place.symlink_metadata() {
            Ok(found) if found.file_type().is_symlink() => {
                return refused(format!("`{path}` goes through a symbolic link, which is not followed"));
            }
            Ok(_) => {}
            Err(error) => return refused(format!("`{path}` cannot be read below the upload folder: {error}")),
        }
    }
    // The same place once more, with whatever may have been exchanged meanwhile.
    match place.canonicalize() {
        Ok(real) if real == place => Ok(place),
        _ => refused(format!("`{path}` does not stay below the upload folder")),
    }
}

async fn open(path: &Path) -> Result<(tokio::fs::File, u64), Trouble> {
    let failed = |error: std::io::Error| Trouble::File(format!("{} cannot be read: {error}", path.display()));
    // Looked at before it is opened: opening a named pipe would wait for a writer.
    if !path.symlink_metadata().map_err(failed)?.is_file() {
        return Err(Trouble::File(format!("{} is not a regular file", path.display())));
    }
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let found = file.metadata().await.map_err(failed)?;
    if !found.is_file() {
        return Err(Trouble::File(format!("{} is not a regular file", path.display())));
    }
    // What was opened must be what stands at that place, reached without a link: somebody may have exchanged a part of
    // the path since it was checked.
    let now = path.symlink_metadata().map_err(failed)?;
    if !same_file(&found, &now) || path.canonicalize().ok().as_deref() != Some(path) {
        return Err(Trouble::File(format!("{} was exchanged while it was opened", path.display())));
    }
    Ok((file, found.len()))
}

#[cfg(unix)]
fn same_file(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same_file(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    one.file_type() == other.file_type() && one.len() == other.len()
}

/// Exactly `size` bytes: a file that shrinks meanwhile ends the upload with an error, one that grows is cut.
fn chunks(
    file: tokio::fs::File,
    size: u64,
) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    stream::try_unfold((file, size), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let mut buffer = vec![0; wanted];
        let count = file.read(&mut buffer).await?;
        if count == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the file became shorter"));
        }
        buffer.truncate(count);
        Ok(Some((Bytes::from(buffer), (file, left - count as u64))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder of its own per test, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let place = std::env::temp_dir().join(format!("proxmox-mcp-{}-{name}", std::process::id()));
            fs::create_dir_all(&place).expect("a temporary folder");
            Folder(place.canonicalize().expect("it was just made"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn only_what_lies_below_the_folder_is_read() {
        let folder = Folder::new("below");
        fs::create_dir(folder.0.join("iso")).expect("a folder");
        fs::write(folder.0.join("iso/a.iso"), b"abc").expect("a file");
        let at = |path: &str| locate(path, Some(&folder.0));
        assert_eq!(at("iso/a.iso").expect("below"), folder.0.join("iso/a.iso"));
        assert_eq!(at(&folder.0.join("iso/a.iso").to_string_lossy()).expect("below"), folder.0.join("iso/a.iso"));
        for outside in ["../etc/passwd", "iso/../../x", "/etc/passwd", "iso/none.iso"] {
            assert!(matches!(at(outside), Err(Trouble::File(_))), "{outside}");
        }
        assert!(locate("iso/a.iso", None).is_err_and(|trouble| trouble.to_string().contains("PROXMOX_UPLOAD_DIR")));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let folder = Folder::new("links");
        std::os::unix::fs::symlink("/etc/hostname", folder.0.join("file.iso")).expect("a link");
        std::os::unix::fs::symlink("/etc", folder.0.join("dir")).expect("a link");
        for path in ["file.iso", "dir/hostname"] {
            let text = locate(path, Some(&folder.0)).expect_err("a link").to_string();
            assert!(text.contains("symbolic link"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_folder_is_no_file() {
        let folder = Folder::new("kind");
        assert!(open(&folder.0).await.is_err_and(|trouble| trouble.to_string().contains("regular file")));
    }
}
