//! Text to tokens, each with the place where it stands.

use crate::error::Error;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    /// Digits without point or exponent: what `x**n` needs for an exact integer power.
    Integer(f64),
    Name(String),
    Text(String),
    /// An operator or a bracket, by its spelling.
    Symbol(&'static str),
    End,
}

/// A token and the character of the text where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) token: Token,
    pub(crate) at: usize,
    /// Written in back quotes: a column name, whatever it spells.
    pub(crate) quoted: bool,
}

/// Longest text that is read. The longest published law is under 300 characters.
pub(crate) const MOST_CHARACTERS: usize = 20_000;

/// Symbols, longest first so that `**` is not read as two `*`.
const SYMBOLS: &[&str] =
    &["**", "==", "!=", "<=", ">=", "//", "+", "-", "*", "/", "(", ")", ",", "<", ">", "=", ";", "[", "]"];

/// An error at one place of the text, with the text around it.
pub(crate) fn error_at(text: &str, at: usize, message: impl Into<String>) -> Error {
    const BEFORE: usize = 50;
    const AFTER: usize = 30;
    let characters: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let at = at.min(characters.len());
    let first = at.saturating_sub(BEFORE);
    let last = (at + AFTER).min(characters.len());
    let mut excerpt = String::new();
    let mut caret = at - first;
    if first > 0 {
        excerpt.push('…');
        caret += 1;
    }
    excerpt.extend(&characters[first..last]);
    if last < characters.len() {
        excerpt.push('…');
    }
    Error::Formula { message: message.into(), excerpt, caret, column: at }
}

/// Cuts a text into tokens, the last of which is [`Token::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Located>, Error> {
    let characters: Vec<char> = text.chars().take(MOST_CHARACTERS + 1).collect();
    if characters.len() > MOST_CHARACTERS {
        return Err(error_at(text, 0, format!("the formula is longer than {MOST_CHARACTERS} characters")));
    }
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = characters.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let begin = at;
        let mut quoted = false;
        let token = if c.is_ascii_digit() || (c == '.' && characters.get(at + 1).is_some_and(char::is_ascii_digit)) {
            number(text, &characters, &mut at)?
        } else if c.is_alphabetic() || c == '_' {
            while characters.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                at += 1;
            }
            Token::Name(characters[begin..at].iter().collect())
        } else if c == '`' {
            quoted = true;
            Token::Name(quoted_part(text, &characters, &mut at, "column name")?)
        } else if c == '\'' || c == '"' {
            Token::Text(quoted_part(text, &characters, &mut at, "text")?)
        } else {
            symbol(text, &characters, &mut at)?
        };
        out.push(Located { token, at: begin, quoted });
    }
    out.push(Located { token: Token::End, at: characters.len(), quoted: false });
    Ok(out)
}

fn symbol(text: &str, characters: &[char], at: &mut usize) -> Result<Token, Error> {
    for &symbol in SYMBOLS {
        if symbol.chars().enumerate().all(|(i, s)| characters.get(*at + i) == Some(&s)) {
            if symbol == "//" {
                return Err(error_at(text, *at, "// is not in the language; write / for division"));
            }
            *at += symbol.len();
            return Ok(Token::Symbol(symbol));
        }
    }
    let c = characters[*at];
    let hint = match c {
        '^' => "write ** for a power".to_owned(),
        '%' => "% is not in the language".to_owned(),
        '&' => "write `and`".to_owned(),
        '|' => "write `or`, or abs(x) for an absolute value".to_owned(),
        '!' => "write `not`, or != for 'not equal'".to_owned(),
        '−' | '–' => "this is a dash; write the minus sign -".to_owned(),
        '×' | '·' => "write * for a product".to_owned(),
        '{' | '}' => "write round parentheses".to_owned(),
        _ => "remove it, or put a column name that contains it in `back quotes`".to_owned(),
    };
    Err(error_at(text, *at, format!("unexpected character {c:?}: {hint}")))
}

fn quoted_part(text: &str, characters: &[char], at: &mut usize, what: &str) -> Result<String, Error> {
    let begin = *at;
    let quote = characters[begin];
    let length = characters[begin + 1..].iter().position(|c| *c == quote);
    let Some(length) = length else {
        return Err(error_at(text, begin, format!("this {what} is not closed; add {quote}")));
    };
    if length == 0 && quote == '`' {
        return Err(error_at(text, begin, "a column name is empty"));
    }
    *at = begin + length + 2;
    Ok(characters[begin + 1..=begin + length].iter().collect())
}

/// A number as Python writes it: `1`, `1_000`, `.5`, `5.`, `1e-3`.
fn number(text: &str, characters: &[char], at: &mut usize) -> Result<Token, Error> {
    let begin = *at;
    let digits = |at: &mut usize| {
        let first = *at;
        while characters.get(*at).is_some_and(char::is_ascii_digit)
            || (characters.get(*at) == Some(&'_')
                && *at > first
                && characters[*at - 1].is_ascii_digit()
                && characters.get(*at + 1).is_some_and(char::is_ascii_digit))
        {
            *at += 1;
        }
    };
    digits(at);
    let mut is_integer = true;
    if characters.get(*at) == Some(&'.') {
        is_integer = false;
        *at += 1;
        digits(at);
    }
    if matches!(characters.get(*at), Some('e' | 'E')) {
        let sign = usize::from(matches!(characters.get(*at + 1), Some('+' | '-')));
        if characters.get(*at + 1 + sign).is_some_and(char::is_ascii_digit) {
            is_integer = false;
            *at += 1 + sign;
            digits(at);
        }
    }
    let spelled: String = characters[begin..*at].iter().filter(|c| **c != '_').collect();
    if characters.get(*at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
        let rest: String =
            characters[*at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').take(20).collect();
        let message = format!("a name follows the number {spelled} directly; for a product write {spelled}*{rest}");
        return Err(error_at(text, *at, message));
    }
    if is_integer && spelled.len() > 1 && spelled.starts_with('0') && spelled.bytes().any(|b| b != b'0') {
        return Err(error_at(text, begin, "an integer does not begin with 0"));
    }
    let value: f64 = spelled.parse().map_err(|_| error_at(text, begin, format!("{spelled} is not a number")))?;
    if !value.is_finite() {
        return Err(error_at(text, begin, format!("{spelled} is beyond the range of a 64-bit float (1.8e308)")));
    }
    Ok(if is_integer { Token::Integer(value) } else { Token::Number(value) })
}
