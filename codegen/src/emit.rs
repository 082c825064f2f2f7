//! placeholder
use crate::catalogue::Catalogue;
use crate::Artifacts;
pub fn emit(_c: &Catalogue, _t: &[(String, String)]) -> Result<Artifacts, String> { Ok(Artifacts { rust: String::new(), docs: Vec::new() }) }
