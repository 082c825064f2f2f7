//! Plain speech: which words say little by themselves, and which say whether somebody wants to read or to change.
//!
//! Knows English; must not know the API.

use proxmox_spec::words;

/// What the first word that tells says about the method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    Unknown,
    Read,
    Create,
    Change,
    Remove,
}

/// Words that say little by themselves.
const WEAK: &str = "\
    able about actual actually after again ago all almost alone already also although always another anybody \
    anymore anyone anything anyway appear appears around at away back bad because become becomes before best \
    better both bought bring came cannot cause certain come comes coming could currently day days different \
    doing done down during each early easy either else end ended ending ends enough even ever every everybody \
    everyone exactly far few finally fine first five found four get gets getting give given gives go goes going \
    gone good got great happen happens hear hour hours how however idea instead itself keep keeps kept kind know \
    last late later least leave left less let likely little long longer look looks lot made make makes making \
    many mean means meant minute minutes month months more morning most much must myself near nearly never new \
    next nice no nobody none not nothing now off often old once one ones oneself only other ours out over own \
    part past perhaps place possible probably problem properly put quite ran rather ready really red right said \
    same say says see seem seems set several should simply since single somehow someone something sometimes soon \
    sort still story stuff such suddenly sure take tell ten thing think third though three through time today \
    together tomorrow tonight too tried tries try trying twice two until up use usual usually very wanted wants \
    way week weeks went what whatever when whenever where whether which while who whole why wish without won \
    wonder work works wrong year years yes yesterday yet";

/// Words of somebody who wants to know.
const READ: &str = "\
    show list view display which what who whose when where why how is are see check read tell find look did does \
    has was were have watch count inspect";

/// Words of somebody who wants something new.
const CREATE: &str = "\
    add create make new another extra build deploy install provision register connect order attach mount give";

/// Words of somebody who wants something to be otherwise.
const CHANGE: &str = "\
    change set edit modify update rename enable disable turn switch limit move adjust put use allow let replace \
    start stop restart reboot grow more less";

/// Words of somebody who wants something to be gone.
const REMOVE: &str = "\
    remove delete drop destroy forget kick revoke evict prune purge discard throw rid detach unmount cancel away \
    close";

/// True for a word that says little by itself (`last`, `make`).
pub fn is_weak(word: &str) -> bool {
    among(WEAK, word)
}

fn among(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|one| one == word)
}

/// The first word that tells. `how do I add` asks to add, `how many` asks to read.
pub fn intent(split: &[String], stems: &[String]) -> Intent {
    let how_to = split.first().is_some_and(|word| word == "how")
        && split.get(1).is_some_and(|word| ["do", "to", "can", "could", "should", "would"].contains(&word.as_str()));
    // `can this be moved` asks; `can you move this` does not.
    let asks = split.first().is_some_and(|word| ["can", "may", "could", "must"].contains(&word.as_str()))
        && split.get(1).is_some_and(|word| ["this", "that", "it", "one", "i", "we", "these"].contains(&word.as_str()));
    if asks {
        return Intent::Read;
    }
    for (at, word) in split.iter().enumerate().skip(if how_to { 2 } else { 0 }) {
        let stem = stems.get(at);
        let is = |list: &str| {
            list.split_ascii_whitespace().any(|one| one == word || stem.is_some_and(|stem| words::stem(one) == *stem))
        };
        // These ask only at the beginning: `a disk that is full`.
        let late = at > 0
            && [
                "is", "are", "did", "does", "has", "was", "were", "have", "what", "which", "who", "when", "where",
                "how",
            ]
            .contains(&word.as_str());
        if is(READ) && !late {
            return Intent::Read;
        }
        for (list, intent) in [(REMOVE, Intent::Remove), (CREATE, Intent::Create), (CHANGE, Intent::Change)] {
            if is(list) {
                return intent;
            }
        }
    }
    Intent::Unknown
}
