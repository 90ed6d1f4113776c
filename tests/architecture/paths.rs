//! Every path that a file names, resolved as far as the file itself tells.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// A path with every alias of the file replaced: `crate::scan::gather`, `std::time::Instant`, `println`.
#[derive(Debug)]
pub struct Named {
    pub segments: Vec<String>,
    pub line: usize,
    /// Whether only a test names it.
    pub in_test: bool,
    /// Whether it is the name of a macro that is called.
    pub is_macro: bool,
}

/// All paths of a file, and the modules that it declares for tests alone.
pub struct Paths {
    pub named: Vec<Named>,
    pub test_modules: Vec<Vec<String>>,
}

/// Collects what a file of the given module names.
pub fn collect(module: &[String], file: &syn::File) -> Paths {
    let mut collector =
        Collector { module: module.to_vec(), in_test: false, found: Vec::new(), aliases: BTreeMap::new(), test_modules: Vec::new() };
    collector.visit_file(file);
    let Collector { found, aliases, test_modules, .. } = collector;
    let named = found.into_iter().map(|named| Named { segments: expand(named.segments, &aliases), ..named }).collect();
    Paths { named, test_modules }
}

/// Replaces a leading alias by what it stands for, also through other aliases.
fn expand(mut segments: Vec<String>, aliases: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    // Each step uses another alias, so there are at most as many as aliases: a circle ends.
    for _ in 0..=aliases.len() {
        match segments.first().and_then(|first| aliases.get(first)) {
            Some(meant) if meant.first() != segments.first() => {
                segments.splice(0..1, meant.iter().cloned());
            }
            Some(meant) if meant.len() > 1 => {
                segments.splice(0..1, meant.iter().cloned());
                break;
            }
            _ => break,
        }
    }
    segments
}

struct Collector {
    module: Vec<String>,
    in_test: bool,
    found: Vec<Named>,
    aliases: BTreeMap<String, Vec<String>>,
    test_modules: Vec<Vec<String>>,
}

impl Collector {
    /// Makes a path begin at the crate where it begins at `self` or `super`.
    fn absolute(&self, mut segments: Vec<String>) -> Vec<String> {
        let mut base = self.module.clone();
        match segments.first().map(String::as_str) {
            Some("crate" | "seaworthy") => {
                segments[0] = "crate".to_owned();
                return segments;
            }
            Some("self") => drop(segments.remove(0)),
            Some("super") => {}
            _ => return segments,
        }
        while segments.first().is_some_and(|first| first == "super") {
            segments.remove(0);
            base.pop();
        }
        std::iter::once("crate".to_owned()).chain(base).chain(segments).collect()
    }

    fn name(&mut self, segments: Vec<String>, span: Span, is_macro: bool) {
        let segments = self.absolute(segments);
        self.found.push(Named { segments, line: span.start().line, in_test: self.in_test, is_macro });
    }

    fn use_tree(&mut self, before: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.use_tree(before, &path.tree);
                before.pop();
            }
            syn::UseTree::Name(name) => self.imported(before, &name.ident, &name.ident),
            syn::UseTree::Rename(rename) => self.imported(before, &rename.ident, &rename.rename),
            syn::UseTree::Glob(glob) => {
                let segments = before.iter().cloned().chain(["*".to_owned()]).collect();
                self.name(segments, glob.span(), false);
            }
            syn::UseTree::Group(group) => {
                for item in &group.items {
                    self.use_tree(before, item);
                }
            }
        }
    }

    fn imported(&mut self, before: &[String], name: &syn::Ident, alias: &syn::Ident) {
        let mut segments = before.to_vec();
        let mut alias = alias.to_string();
        if name != "self" || before.is_empty() {
            segments.push(name.to_string());
        } else if alias == "self" {
            alias = before.last().cloned().unwrap_or_default();
        }
        self.name(segments.clone(), name.span(), false);
        let meant = self.absolute(segments);
        self.aliases.insert(alias, meant);
    }

    /// Tokens that nobody parsed: arguments and definitions of macros. Whatever looks like a path is one.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut start = Span::call_site();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' && (colons == 1 || punct.spacing() == Spacing::Joint) => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.flush(&mut path, start);
                    }
                    if path.is_empty() {
                        start = ident.span();
                    }
                    path.push(ident.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == '!' && !path.is_empty() => {
                    let called = std::mem::take(&mut path);
                    self.name(called, start, true);
                }
                TokenTree::Group(group) => {
                    // `a::{b, c}` inside a macro: each member belongs to the path before it.
                    if colons == 2 && group.delimiter() == Delimiter::Brace && !path.is_empty() {
                        let before = path.clone();
                        for member in group.stream() {
                            if let TokenTree::Ident(ident) = member {
                                let segments = before.iter().cloned().chain([ident.to_string()]).collect();
                                self.name(segments, ident.span(), false);
                            }
                        }
                        path.clear();
                    } else {
                        self.flush(&mut path, start);
                        self.tokens(group.stream());
                    }
                }
                _ => self.flush(&mut path, start),
            }
            colons = 0;
        }
        self.flush(&mut path, start);
    }

    fn flush(&mut self, path: &mut Vec<String>, start: Span) {
        if path.len() > 1 {
            let segments = std::mem::take(path);
            self.name(segments, start, false);
        }
        path.clear();
    }

    fn within<T>(&mut self, attributes: &[syn::Attribute], inside: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.in_test;
        self.in_test |= attributes.iter().any(is_test);
        let result = inside(self);
        self.in_test = before;
        result
    }
}

fn is_test(attribute: &syn::Attribute) -> bool {
    let cfg = |list: &syn::MetaList| list.path.is_ident("cfg") && list.tokens.to_string() == "test";
    attribute.path().is_ident("test") || attribute.meta.require_list().is_ok_and(cfg)
}

fn segments_of(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        if item.content.is_none() && (self.in_test || item.attrs.iter().any(is_test)) {
            self.test_modules.push(self.module.clone());
        }
        self.within(&item.attrs, |this| visit::visit_item_mod(this, item));
        self.module.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(&item.attrs, |this| visit::visit_item_fn(this, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.within(&item.attrs, |this| visit::visit_item_impl(this, item));
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.within(&item.attrs, |this| this.use_tree(&mut Vec::new(), &item.tree));
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        if let Some((_, alias)) = &item.rename {
            self.imported(&[], &item.ident, alias);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.name(segments_of(path), path.span(), false);
        visit::visit_path(self, path);
    }

    /// `<Type>::function`: the type's path goes on with the function's.
    fn visit_expr_path(&mut self, expression: &'ast syn::ExprPath) {
        if let Some(qself) = &expression.qself
            && let syn::Type::Path(of) = &*qself.ty
            && qself.position == 0
        {
            let segments = segments_of(&of.path).into_iter().chain(segments_of(&expression.path)).collect();
            self.name(segments, expression.span(), false);
        }
        visit::visit_expr_path(self, expression);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.name(segments_of(&call.path), call.path.span(), true);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
            // `with = "crate::scan::text"`: serde and clap take paths as text.
            for token in list.tokens.clone() {
                if let TokenTree::Literal(literal) = token
                    && let Ok(text) = syn::parse2::<syn::LitStr>(TokenTree::Literal(literal.clone()).into())
                    && let Ok(path) = text.parse::<syn::Path>()
                    && path.segments.len() > 1
                {
                    self.name(segments_of(&path), literal.span(), false);
                }
            }
        }
    }

    /// `pub(in crate::scan)` names a module to limit, not to use.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}
