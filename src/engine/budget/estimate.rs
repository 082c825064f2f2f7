//! How many tokens a text is: an estimate without a tokenizer, a little too high rather than too low.
//!
//! Made after the rules by which the tokenizers of today take texts apart: words at changes of case, digits by three,
//! marks by two. tests/tokens compares it with a real one.

/// Tokens of a text, about.
pub fn estimate(text: &str) -> u64 {
    let mut run = Run::default();
    for letter in text.chars() {
        run.take(letter);
    }
    run.close();
    run.halves.div_ceil(2)
}

/// Of which kind a character is, and how many of it make a token.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Sort {
    #[default]
    Space,
    Upper,
    Lower,
    Digit,
    Mark,
}

#[derive(Debug, Default)]
struct Run {
    sort: Sort,
    length: u64,
    /// Half tokens so far.
    halves: u64,
}

impl Run {
    fn take(&mut self, letter: char) {
        let sort = match letter {
            'a'..='z' => Sort::Lower,
            'A'..='Z' => Sort::Upper,
            '0'..='9' => Sort::Digit,
            ' ' => Sort::Space,
            _ if letter.is_ascii() => Sort::Mark,
            // Outside ASCII a character is a token or a part of one; from four bytes on, several.
            _ => {
                self.close();
                (self.sort, self.length) = (Sort::Mark, 0);
                self.halves += [2, 2, 2, 3, 5][letter.len_utf8().min(4)];
                return;
            }
        };
        // A word may begin with capitals.
        let goes_on = sort == self.sort || (self.sort == Sort::Upper && sort == Sort::Lower);
        if !goes_on {
            // A space belongs to the word behind it, but to no number.
            if self.sort == Sort::Space && sort == Sort::Digit && self.length > 0 {
                self.halves += 2;
            }
            self.close();
        }
        self.sort = sort;
        self.length += 1;
    }

    fn close(&mut self) {
        let length = std::mem::take(&mut self.length);
        if length == 0 {
            return;
        }
        self.halves += match self.sort {
            Sort::Lower | Sort::Upper => 2 * length.div_ceil(5),
            Sort::Digit => 2 * length.div_ceil(3),
            Sort::Mark => length.div_ceil(2) + 1,
            // One space is free.
            Sort::Space => (length - 1).div_ceil(2),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::estimate;

    #[test]
    fn words_numbers_and_marks_count_as_they_are_taken_apart() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate("start the guest"), 3);
        assert_eq!(estimate("vmid 100"), 3);
        assert_eq!(estimate("1234567"), 3);
        assert_eq!(estimate("diskRead"), 2);
        assert!(estimate(&"=-".repeat(100)) < 120);
    }

    #[test]
    fn what_is_not_ascii_counts_at_least_once() {
        assert!(estimate("備份失敗") >= 4);
        assert!(estimate("🚀🚀") >= 4);
    }
}
