//! Uploads: a multipart body is read as a stream, with the API's strict order of fields.
//!
//! Knows the parts and their order; which storage takes which file is decided by the handler. The bytes of the file are
//! counted and hashed, then forgotten.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::{
    answer::Failure,
    guest::hex,
    request::{Arg, Args, UploadedFile},
    server::Content,
};

/// Everything before the file's bytes must fit into this many bytes.
const LARGEST_HEAD: usize = 64 * 1024;

/// The fields before the file, in the only order in which they are seen.
const FIELDS: [&str; 3] = ["content", "checksum-algorithm", "checksum"];

/// Reads the whole body.
pub(crate) async fn receive(content_type: &str, mut body: Incoming) -> Result<Content, Failure> {
    let boundary = content_type
        .split(';')
        .find_map(|part| part.trim().strip_prefix("boundary="))
        .map(|text| text.trim_matches('"').to_owned())
        .ok_or_else(failed)?;
    let mut parser = Parser::new(&boundary);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| failed())?;
        if let Some(data) = frame.data_ref() {
            parser.feed(data)?;
        }
    }
    parser.finish()
}

struct Parser {
    /// `--boundary`
    opening: Vec<u8>,
    /// What was read and not yet understood.
    rest: Vec<u8>,
    args: Args,
    next_field: usize,
    file: Option<(String, u64, Hash)>,
    over: bool,
}

impl Parser {
    fn new(boundary: &str) -> Parser {
        Parser {
            opening: format!("--{boundary}").into_bytes(),
            rest: Vec::new(),
            args: Args::default(),
            next_field: 0,
            file: None,
            over: false,
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.over {
            return Ok(());
        }
        self.rest.extend_from_slice(bytes);
        if self.file.is_none() {
            while self.file.is_none() && self.next_part()? {}
            if self.file.is_none() && self.rest.len() > LARGEST_HEAD {
                return Err(failed());
            }
        }
        self.file_bytes();
        Ok(())
    }

    /// Takes one whole field, or the head of the file. False when more bytes are needed.
    fn next_part(&mut self) -> Result<bool, Failure> {
        let Some(head_end) = find(&self.rest, b"\r\n\r\n") else { return Ok(false) };
        let head = String::from_utf8_lossy(&self.rest[..head_end]).into_owned();
        let mut lines = head.lines().skip_while(|line| line.is_empty());
        if lines.next().map(str::as_bytes) != Some(&self.opening) {
            return Err(failed());
        }
        // Only the first header of a part is looked at, and only with the name before the file's name.
        let disposition =
            lines.next().and_then(|line| line.split_once(':')).map(|(_, value)| value).unwrap_or_default();
        let mut attributes = disposition.split(';').skip(1).map(str::trim);
        let name = attributes.next().and_then(|text| text.strip_prefix("name=")).map(unquote).ok_or_else(failed)?;
        let filename = attributes.next().and_then(|text| text.strip_prefix("filename=")).map(unquote);
        let start = head_end + 4;
        if let Some(filename) = filename {
            if name != "filename" {
                return Err(Failure::plain(
                    500,
                    format!(
                        "wrong field name '{name}' for file upload, expected 'filename' at \
                         /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 1325.\n"
                    ),
                ));
            }
            let hash = Hash::new(self.args.text("checksum-algorithm"));
            self.rest.drain(..start);
            self.file = Some((filename, 0, hash));
            return Ok(true);
        }
        let mark = [b"\r\n", self.opening.as_slice()].concat();
        let Some(length) = find(&self.rest[start..], &mark) else { return Ok(false) };
        let value = String::from_utf8_lossy(&self.rest[start..start + length]).into_owned();
        self.rest.drain(..start + length + 2);
        match FIELDS.iter().position(|field| *field == name) {
            Some(place) if place >= self.next_field => {
                self.next_field = place + 1;
                self.args.0.insert(name, Arg::Text(value));
            }
            // A field that comes too late breaks the whole request; unknown ones are passed over.
            Some(_) => return Err(Failure::empty(400, "Bad Request")),
            None => {}
        }
        if self.rest.starts_with(&[self.opening.as_slice(), b"--"].concat()) {
            return Err(failed());
        }
        Ok(true)
    }

    /// Hashes what surely belongs to the file.
    fn file_bytes(&mut self) {
        let Some((_, size, hash)) = &mut self.file else { return };
        let mark = [b"\r\n", self.opening.as_slice()].concat();
        let sure = match find(&self.rest, &mark) {
            Some(end) => {
                self.over = true;
                end
            }
            None => self.rest.len().saturating_sub(mark.len()),
        };
        *size += sure as u64;
        hash.update(&self.rest[..sure]);
        self.rest.drain(..sure);
    }

    fn finish(self) -> Result<Content, Failure> {
        let (name, size, hash) = self.file.filter(|_| self.over).ok_or_else(failed)?;
        let mut args = self.args;
        args.0.insert("filename".to_owned(), Arg::Text(name));
        Ok(Content { args, file: Some(UploadedFile { size, digest: hash.finish() }) })
    }
}

enum Hash {
    None,
    Md5(Md5),
    Sha1(Sha1),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hash {
    fn new(algorithm: Option<&str>) -> Hash {
        match algorithm {
            Some("md5") => Hash::Md5(Md5::new()),
            Some("sha1") => Hash::Sha1(Sha1::new()),
            Some("sha224") => Hash::Sha224(Sha224::new()),
            Some("sha256") => Hash::Sha256(Sha256::new()),
            Some("sha384") => Hash::Sha384(Sha384::new()),
            Some("sha512") => Hash::Sha512(Sha512::new()),
            _ => Hash::None,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Hash::None => {}
            Hash::Md5(hash) => hash.update(bytes),
            Hash::Sha1(hash) => hash.update(bytes),
            Hash::Sha224(hash) => hash.update(bytes),
            Hash::Sha256(hash) => hash.update(bytes),
            Hash::Sha384(hash) => hash.update(bytes),
            Hash::Sha512(hash) => hash.update(bytes),
        }
    }

    fn finish(self) -> Option<String> {
        match self {
            Hash::None => None,
            Hash::Md5(hash) => Some(hex(&hash.finalize())),
            Hash::Sha1(hash) => Some(hex(&hash.finalize())),
            Hash::Sha224(hash) => Some(hex(&hash.finalize())),
            Hash::Sha256(hash) => Some(hex(&hash.finalize())),
            Hash::Sha384(hash) => Some(hex(&hash.finalize())),
            Hash::Sha512(hash) => Some(hex(&hash.finalize())),
        }
    }
}

fn unquote(text: &str) -> String {
    text.trim().trim_matches('"').to_owned()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn failed() -> Failure {
    Failure::plain(500, "upload failed at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 1370.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str, step: usize) -> Result<Content, Failure> {
        let mut parser = Parser::new("b");
        for chunk in body.as_bytes().chunks(step) {
            parser.feed(chunk)?;
        }
        parser.finish()
    }

    fn field(name: &str, value: &str) -> String {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    }

    const FILE: &str = "--b\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"x.iso\"\r\n\
        Content-Type: application/octet-stream\r\n\r\nab\r\nc\r\n--b--\r\n";

    #[test]
    fn a_file_arrives_whatever_the_pieces_are() {
        let body = field("content", "iso") + &field("checksum-algorithm", "sha1") + &field("checksum", "x") + FILE;
        for step in [1, 7, 1000] {
            let content = parse(&body, step).unwrap();
            let file = content.file.unwrap();
            assert_eq!((content.args.text("filename"), file.size), (Some("x.iso"), 5));
            assert_eq!(file.digest, Some(hex(&Sha1::digest(b"ab\r\nc"))));
            assert_eq!(content.args.text("content"), Some("iso"));
        }
    }

    #[test]
    fn fields_out_of_order_break_the_request() {
        let body = field("checksum-algorithm", "sha1") + &field("content", "iso") + FILE;
        assert_eq!(
            parse(&body, 9).err().map(|failure| (failure.status, failure.message)),
            Some((400, "Bad Request".to_owned()))
        );
    }

    #[test]
    fn a_body_without_a_file_fails() {
        assert_eq!(parse(&(field("content", "iso") + "--b--\r\n"), 100).err().map(|f| f.status), Some(500));
    }
}
