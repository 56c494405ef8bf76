//! Tokens to a tree, with Python's grammar and precedence.
//!
//! The tree is an arena in which children stand before their parents, so that every later pass is a loop, never a
//! recursion; only the parser itself recurses, to a bounded depth.

use crate::error::Error;
use crate::formula::functions;
use crate::formula::functions::Function;
use crate::formula::lex::Located;
use crate::formula::lex::Token;
use crate::formula::lex::error_at;
use crate::formula::lex::tokens;

/// Position of a node in [`Tree::nodes`].
pub(crate) type Id = usize;

/// Binary operators; comparisons and conditions among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
}

/// One node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    Integer(f64),
    Text(String),
    Name(String),
    Negate(Id),
    Not(Id),
    Binary(Operator, Id, Id),
    Call(Function, Vec<Id>),
    /// `item in (a, b, …)`; the flag says `not in`.
    Among(Id, Vec<Id>, bool),
}

/// A parsed formula.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) text: String,
    pub(crate) nodes: Vec<Expression>,
    /// Where each node stands in the text, for messages.
    pub(crate) at: Vec<usize>,
    pub(crate) root: Id,
    /// Names in order of first appearance, with the place.
    pub(crate) names: Vec<(String, usize)>,
    /// `let` bindings with the place of each.
    pub(crate) bindings: Vec<(String, usize)>,
}

/// Deepest nesting of parentheses, calls and signs.
const DEEPEST: usize = 150;

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Located>,
    next: usize,
    depth: usize,
    nodes: Vec<Expression>,
    at: Vec<usize>,
    names: Vec<(String, usize)>,
    bindings: Vec<(String, usize, Id)>,
}

/// Reads a formula.
///
/// # Errors
/// [`Error::Formula`] with the column of the first thing that cannot be read.
pub(crate) fn parse(text: &str) -> Result<Tree, Error> {
    let tokens = tokens(text)?;
    let mut parser =
        Parser { text, tokens, next: 0, depth: 0, nodes: vec![], at: vec![], names: vec![], bindings: vec![] };
    while parser.is_binding() {
        parser.binding()?;
    }
    let root = parser.condition()?;
    match parser.peek() {
        Token::End => {}
        Token::Symbol("=") => {
            return Err(parser.error_here("one = binds a name before the last expression (`a = …; …`); == compares"));
        }
        Token::Symbol(";") => {
            return Err(
                parser.error_here("a ; ends a binding `name = expression;`; only the last expression stands alone")
            );
        }
        Token::Symbol(")") => return Err(parser.error_here("this parenthesis closes nothing")),
        Token::Symbol("[") => return Err(parser.indexed_here()),
        Token::Symbol(",") => return Err(parser.error_here("a comma stands only between the arguments of a function")),
        Token::Symbol("(") => return Err(parser.error_here("an operator is missing before this parenthesis")),
        _ => return Err(parser.error_here("an operator is missing here")),
    }
    let bindings = parser.bindings.into_iter().map(|(name, at, _)| (name, at)).collect();
    Ok(Tree { text: text.to_owned(), nodes: parser.nodes, at: parser.at, root, names: parser.names, bindings })
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].token
    }

    fn here(&self) -> usize {
        self.tokens[self.next].at
    }

    fn error_here(&self, message: impl Into<String>) -> Error {
        error_at(self.text, self.here(), message)
    }

    fn indexed_here(&self) -> Error {
        self.error_here("indexed names such as E[corpus] and x[i] are reserved and not supported yet")
    }

    fn advance(&mut self) {
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(s) if *s == symbol);
        if found {
            self.advance();
        }
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let located = &self.tokens[self.next];
        let found = !located.quoted && matches!(&located.token, Token::Name(name) if name == word);
        if found {
            self.advance();
        }
        found
    }

    fn push(&mut self, node: Expression, at: usize) -> Id {
        self.nodes.push(node);
        self.at.push(at);
        self.nodes.len() - 1
    }

    fn is_binding(&self) -> bool {
        matches!(self.peek(), Token::Name(_))
            && matches!(self.tokens.get(self.next + 1), Some(Located { token: Token::Symbol("="), .. }))
    }

    fn binding(&mut self) -> Result<(), Error> {
        let at = self.here();
        let Token::Name(name) = self.peek().clone() else { return Err(self.error_here("a name is expected")) };
        if functions::is_reserved(&name) {
            return Err(self.error_here(format!("{name} is a word of the language and cannot be bound")));
        }
        if self.bindings.iter().any(|(known, ..)| *known == name) {
            return Err(self.error_here(format!("{name} is bound twice")));
        }
        if self.names.iter().any(|(known, _)| *known == name) {
            return Err(self.error_here(format!("{name} is used before it is bound")));
        }
        self.advance();
        self.advance();
        let value = self.condition()?;
        if !self.accept(";") {
            return Err(self.error_here(format!("the binding of {name} must end with ; before the next expression")));
        }
        if matches!(self.peek(), Token::End) {
            return Err(self.error_here("an expression is missing after the last binding"));
        }
        self.bindings.push((name, at, value));
        Ok(())
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error_here(format!("nested more than {DEEPEST} deep; bind parts to names (`part = …;`)")));
        }
        let out = read(self);
        self.depth -= 1;
        out
    }

    /// or-expression, the loosest level.
    fn condition(&mut self) -> Result<Id, Error> {
        self.nested(|parser| {
            let mut left = parser.conjunction()?;
            loop {
                let at = parser.here();
                if !parser.accept_word("or") {
                    return Ok(left);
                }
                let right = parser.conjunction()?;
                left = parser.push(Expression::Binary(Operator::Or, left, right), at);
            }
        })
    }

    fn conjunction(&mut self) -> Result<Id, Error> {
        let mut left = self.negation()?;
        loop {
            let at = self.here();
            if !self.accept_word("and") {
                return Ok(left);
            }
            let right = self.negation()?;
            left = self.push(Expression::Binary(Operator::And, left, right), at);
        }
    }

    fn negation(&mut self) -> Result<Id, Error> {
        let at = self.here();
        if self.accept_word("not") {
            let inner = self.nested(Parser::negation)?;
            return Ok(self.push(Expression::Not(inner), at));
        }
        self.comparison()
    }

    /// Comparisons chain as in Python: `1 < x < 2` means `1 < x and x < 2`.
    fn comparison(&mut self) -> Result<Id, Error> {
        let mut left = self.sum()?;
        let mut all = None;
        loop {
            let at = self.here();
            let part = if let Some(operator) = self.comparison_operator() {
                let right = self.sum()?;
                let part = self.push(Expression::Binary(operator, left, right), at);
                left = right;
                part
            } else if self.accept_word("in") {
                self.among(left, false, at)?
            } else if matches!(self.peek(), Token::Name(name) if name == "not") && !self.tokens[self.next].quoted {
                self.advance();
                if !self.accept_word("in") {
                    return Err(self.error_here("`not` after a value must be `not in (…)`"));
                }
                self.among(left, true, at)?
            } else if matches!(self.peek(), Token::Name(name) if name == "is") && !self.tokens[self.next].quoted {
                return Err(self.error_here("`is` is not in the language; write =="));
            } else {
                return Ok(all.unwrap_or(left));
            };
            all = Some(match all {
                None => part,
                Some(before) => self.push(Expression::Binary(Operator::And, before, part), at),
            });
        }
    }

    fn comparison_operator(&mut self) -> Option<Operator> {
        let operator = match self.peek() {
            Token::Symbol("<") => Operator::Less,
            Token::Symbol("<=") => Operator::LessEqual,
            Token::Symbol(">") => Operator::Greater,
            Token::Symbol(">=") => Operator::GreaterEqual,
            Token::Symbol("==") => Operator::Equal,
            Token::Symbol("!=") => Operator::NotEqual,
            _ => return None,
        };
        self.advance();
        Some(operator)
    }

    fn among(&mut self, item: Id, negated: bool, at: usize) -> Result<Id, Error> {
        let close = if self.accept("(") {
            ")"
        } else if self.accept("[") {
            "]"
        } else {
            return Err(self.error_here("`in` needs a list: in (\"a\", \"b\")"));
        };
        let mut list = Vec::new();
        loop {
            if self.accept(close) {
                break;
            }
            list.push(self.sum()?);
            if !self.accept(",") {
                if !self.accept(close) {
                    return Err(self.error_here(format!("the list after `in` is not closed; add {close}")));
                }
                break;
            }
        }
        if list.is_empty() {
            return Err(self.error_here("the list after `in` is empty"));
        }
        Ok(self.push(Expression::Among(item, list, negated), at))
    }

    fn sum(&mut self) -> Result<Id, Error> {
        let mut left = self.product()?;
        loop {
            let at = self.here();
            let operator = if self.accept("+") {
                Operator::Add
            } else if self.accept("-") {
                Operator::Subtract
            } else {
                return Ok(left);
            };
            let right = self.product()?;
            left = self.push(Expression::Binary(operator, left, right), at);
        }
    }

    fn product(&mut self) -> Result<Id, Error> {
        let mut left = self.signed()?;
        loop {
            let at = self.here();
            let operator = if self.accept("*") {
                Operator::Multiply
            } else if self.accept("/") {
                Operator::Divide
            } else {
                return Ok(left);
            };
            let right = self.signed()?;
            left = self.push(Expression::Binary(operator, left, right), at);
        }
    }

    /// Signs bind looser than `**` on their right: `-x**2` is `-(x**2)`.
    fn signed(&mut self) -> Result<Id, Error> {
        let at = self.here();
        if self.accept("-") {
            let inner = self.nested(Parser::signed)?;
            return Ok(self.push(Expression::Negate(inner), at));
        }
        if self.accept("+") {
            return self.nested(Parser::signed);
        }
        self.power()
    }

    /// `**` groups from the right and takes a sign on its right: `a**-b**c` is `a**(-(b**c))`.
    fn power(&mut self) -> Result<Id, Error> {
        let base = self.atom()?;
        let at = self.here();
        if self.accept("**") {
            let exponent = self.nested(Parser::signed)?;
            return Ok(self.push(Expression::Binary(Operator::Power, base, exponent), at));
        }
        Ok(base)
    }

    fn atom(&mut self) -> Result<Id, Error> {
        let Located { token, at, quoted } = self.tokens[self.next].clone();
        match token {
            Token::Number(value) => {
                self.advance();
                Ok(self.push(Expression::Number(value), at))
            }
            Token::Integer(value) => {
                self.advance();
                Ok(self.push(Expression::Integer(value), at))
            }
            Token::Text(text) => {
                self.advance();
                Ok(self.push(Expression::Text(text), at))
            }
            Token::Symbol("(") => {
                self.advance();
                let inner = self.condition()?;
                if self.accept(")") {
                    return Ok(inner);
                }
                if matches!(self.peek(), Token::Symbol(",")) {
                    return Err(self.error_here("a comma stands only between the arguments of a function"));
                }
                Err(self.unclosed(at))
            }
            Token::Name(name) => {
                self.advance();
                self.name(name, at, quoted)
            }
            Token::End if self.nodes.is_empty() => Err(self.error_here("the formula is empty")),
            Token::End => Err(self.error_here("the formula ends where a value is expected")),
            Token::Symbol(symbol) => {
                let hint = if symbol == "*" || symbol == "/" || symbol == "**" {
                    "its left side is missing".to_owned()
                } else if symbol == "=" {
                    "a binding is `name = expression;`".to_owned()
                } else {
                    "a number, a name or a function is expected".to_owned()
                };
                Err(self.error_here(format!("unexpected {symbol}: {hint}")))
            }
        }
    }

    fn unclosed(&self, at: usize) -> Error {
        if matches!(self.peek(), Token::End) {
            error_at(self.text, at, "this parenthesis is not closed")
        } else {
            self.error_here("an operator or ) is missing here")
        }
    }

    fn name(&mut self, name: String, at: usize, quoted: bool) -> Result<Id, Error> {
        if matches!(self.peek(), Token::Symbol("[")) {
            return Err(self.indexed_here());
        }
        if !quoted {
            if matches!(self.peek(), Token::Symbol("(")) {
                return self.call(&name, at);
            }
            if name == "pi" {
                return Ok(self.push(Expression::Number(std::f64::consts::PI), at));
            }
            if name == "True" || name == "False" {
                let message = format!("{name} is not needed; a true-or-false column alone is a condition");
                return Err(error_at(self.text, at, message));
            }
            if functions::KEYWORDS.contains(&name.as_str()) {
                return Err(error_at(self.text, at, format!("{name} is a word of Python and cannot be a name")));
            }
            if functions::is_reserved(&name) {
                let message = format!("{name} is a function; write {name}(…), or another name for a parameter");
                return Err(error_at(self.text, at, message));
            }
            if let Some((_, _, value)) = self.bindings.iter().find(|(known, ..)| *known == name) {
                return Ok(*value);
            }
        }
        if !self.names.iter().any(|(known, _)| *known == name) {
            self.names.push((name.clone(), at));
        }
        Ok(self.push(Expression::Name(name), at))
    }

    fn call(&mut self, name: &str, at: usize) -> Result<Id, Error> {
        let Some((function, fewest, most)) = functions::find(name) else {
            if functions::RESERVED_CALLS.contains(&name) {
                return Err(error_at(self.text, at, format!("{name}(…) is reserved and not supported yet")));
            }
            let known: Vec<&str> = functions::FUNCTIONS.iter().map(|entry| entry.0).collect();
            let hint = match name {
                "ln" => "write log for the natural logarithm".to_owned(),
                "pow" => "write a**b".to_owned(),
                "minimum" => "write min".to_owned(),
                "maximum" => "write max".to_owned(),
                _ => format!("for a product write {name}*(…); functions: {}", known.join(" ")),
            };
            return Err(error_at(self.text, at, format!("{name} is not a function: {hint}")));
        };
        self.advance();
        let mut arguments = Vec::new();
        if !self.accept(")") {
            loop {
                arguments.push(self.condition()?);
                if arguments.len() > most {
                    break;
                }
                if !self.accept(",") {
                    if !self.accept(")") {
                        let open = self.tokens.iter().position(|t| t.at > at).map_or(at, |i| self.tokens[i].at);
                        return Err(self.unclosed(open));
                    }
                    break;
                }
                if self.accept(")") {
                    break;
                }
            }
        }
        if arguments.len() < fewest || arguments.len() > most {
            let wanted = if fewest == most {
                format!("{fewest} argument{}", if fewest == 1 { "" } else { "s" })
            } else {
                format!("{fewest} to {most} arguments")
            };
            return Err(error_at(self.text, at, format!("{name} takes {wanted}")));
        }
        Ok(self.push(Expression::Call(function, arguments), at))
    }
}
