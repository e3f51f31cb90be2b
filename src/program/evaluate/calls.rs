//! What a value is made of piece by piece: helpers called, loops run, pieces rendered by the `handlebars` crate.

use bumpalo::collections::String as ArenaString;

use crate::helper::Arguments;
use crate::model::value::{Value, pair};
use crate::program::graph::{NodeId, Part, helper};

use super::{Evaluator, Failure, Frame, Outcome};

impl<'a> Evaluator<'a> {
    pub(super) fn append(
        &self,
        text: &mut ArenaString<'a>,
        value: Value<'a>,
    ) -> Result<(), Failure> {
        match value.as_text() {
            Some(part) => {
                text.push_str(part);
                Ok(())
            }
            None => Err(self.fail(
                "list-as-text",
                "a list stands where text is wanted".to_owned(),
                "join it: `{{join images \", \"}}`, or loop with `{{#each}}`",
            )),
        }
    }

    #[inline(never)]
    pub(super) fn help(
        &self,
        number: u16,
        view: u16,
        positional: &'a [NodeId],
        named: &'a [(Box<str>, NodeId)],
    ) -> Outcome<'a> {
        // Most helpers are called with one argument.
        if let ([only], []) = (positional, named) {
            return self.call(number, view, &[self.value(*only)?], &[]);
        }
        if let ([first, second], []) = (positional, named) {
            let values = [self.value(*first)?, self.value(*second)?];
            return self.call(number, view, &values, &[]);
        }
        // Nearly all take no more than a few.
        let mut few = [Value::Absent; 4];
        let mut named_few = [("", Value::Absent); 4];
        if let (Some(values), Some(options)) = (
            few.get_mut(..positional.len()),
            named_few.get_mut(..named.len()),
        ) {
            self.arguments(positional, named, values, options)?;
            return self.call(number, view, values, options);
        }
        let mut values = vec![Value::Absent; positional.len()];
        let mut options = vec![("", Value::Absent); named.len()];
        self.arguments(positional, named, &mut values, &mut options)?;
        self.call(number, view, &values, &options)
    }

    /// Puts a helper's arguments into their places.
    #[inline]
    fn arguments(
        &self,
        positional: &'a [NodeId],
        named: &'a [(Box<str>, NodeId)],
        values: &mut [Value<'a>],
        options: &mut [(&'a str, Value<'a>)],
    ) -> Result<(), Failure> {
        for (value, &node) in values.iter_mut().zip(positional) {
            *value = self.value(node)?;
        }
        for (option, (name, node)) in options.iter_mut().zip(named) {
            *option = (name, self.value(*node)?);
        }
        Ok(())
    }

    #[inline]
    fn call(
        &self,
        number: u16,
        view: u16,
        positional: &[Value<'a>],
        named: &[(&str, Value<'a>)],
    ) -> Outcome<'a> {
        let helper = helper(number);
        let arguments = Arguments { positional, named };
        match (helper.call)(&arguments, &self.contexts[usize::from(view)]) {
            Ok(value) => Ok(value),
            Err(error) => Err(self.fail(
                "helper-failed",
                format!("`{}`: {error}", helper.name),
                "change the mapping, or the value it works on",
            )),
        }
    }

    #[inline(never)]
    pub(super) fn each(&self, list: NodeId, body: NodeId, otherwise: NodeId) -> Outcome<'a> {
        let list = self.value(list)?;
        let count = list.count();
        if count == 0 {
            return self.value(otherwise);
        }
        let mut text = ArenaString::new_in(self.arena);
        for (index, element) in list.elements().enumerate() {
            let part = self.within(element, index, index + 1 == count, || self.value(body))?;
            self.append(&mut text, part)?;
        }
        Ok(Value::text(text.into_bump_str()))
    }

    /// Runs something with a loop standing at an element.
    pub fn within<T>(
        &self,
        element: &'a str,
        index: usize,
        last: bool,
        run: impl FnOnce() -> T,
    ) -> T {
        self.frames.borrow_mut().push(Frame {
            element,
            index,
            last,
        });
        let result = run();
        self.frames.borrow_mut().pop();
        result
    }

    #[inline(never)]
    pub(super) fn this(&self, up: u8, part: Part) -> Value<'a> {
        let frames = self.frames.borrow();
        let Some(frame) = frames
            .len()
            .checked_sub(1 + usize::from(up))
            .and_then(|at| frames.get(at))
        else {
            return Value::Absent;
        };
        match part {
            Part::Element => Value::text(frame.element),
            Part::Name => Value::text(pair(frame.element).0),
            Part::Value => Value::text(pair(frame.element).1),
            Part::Index => Value::Text(self.arena.alloc_str(&frame.index.to_string())),
            Part::First => Value::Bool(frame.index == 0),
            Part::Last => Value::Bool(frame.last),
        }
    }

    #[inline(never)]
    pub(super) fn render(&self, template: u32, names: &'a [(Box<str>, NodeId)]) -> Outcome<'a> {
        let mut values = Vec::with_capacity(names.len());
        for (name, node) in names {
            values.push((&**name, self.value(*node)?));
        }
        match self.tables.fallbacks[template as usize].render(&values) {
            Ok(text) => Ok(Value::text(self.arena.alloc_str(&text))),
            Err(message) => Err(self.fail("template-failed", message, "correct the template")),
        }
    }
}
