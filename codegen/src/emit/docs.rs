//! The reference, from templates.

use crate::catalogue::Catalogue;

pub fn emit(_catalogue: &Catalogue, _templates: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
    Ok(Vec::new())
}
