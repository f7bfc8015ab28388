//! The operators of the rule engine for fields that are not those of a record: selections and conditions of the analyst's own
//! indicators. Nothing here knows what the fields are about.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rsigma_eval::{CompiledRule, compile_rule, evaluate_rule};
use rsigma_parser::{
    ConditionExpr, Detection, Modifier, Quantifier, SigmaValue, parse_condition, parse_sigma_yaml,
};

use super::demand;
use super::engine::guarded;
use super::field::Fields;
use super::load::one_line;

/// Bytes of one selection.
const LARGEST: usize = 1 << 20;
/// Characters of a condition.
const LONGEST: usize = 4_000;
/// Opening parentheses of a condition: it is parsed by recursion.
const MOST_PARENTHESES: usize = 40;

/// A selection ready to be asked: fields, modifiers and values as in a Sigma rule.
pub struct Matcher {
    rule: CompiledRule,
    fields: BTreeSet<String>,
}

impl Matcher {
    /// Compiles a selection: an object of `field|modifier: value` of which all must hold, or a list of such objects of which one
    /// must.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence without its place.
    pub fn compile(selection: &serde_json::Value) -> Result<Self, String> {
        let text = selection.to_string();
        if text.len() > LARGEST {
            return Err(format!("longer than {} KiB", LARGEST >> 10));
        }
        let said = match selection {
            serde_json::Value::Object(fields) => !fields.is_empty(),
            serde_json::Value::Array(list) => {
                !list.is_empty() && list.iter().all(serde_json::Value::is_object)
            }
            _ => false,
        };
        if !said {
            return Err("it asks for nothing: write fields and their values".to_owned());
        }
        // JSON is YAML; the engine's parser knows no other way in.
        let document = format!(
            "title: own\nlogsource: {{product: windows}}\n\
             detection: {{\"selection\": {text}, \"condition\": \"selection\"}}\n"
        );
        let parsed = guarded(|| parse_sigma_yaml(&document))?;
        let mut parsed = parsed.map_err(|error| one_line(&error.to_string()))?;
        if let Some(error) = parsed.errors.first() {
            return Err(one_line(error));
        }
        let Some(mut rule) = parsed.rules.pop() else {
            return Err("it is no selection".to_owned());
        };
        if let Some(obstacle) = demand::obstacle(&rule.detection) {
            return Err(obstacle);
        }
        let _written = demand::fields(&mut rule.detection);
        let mut fields = BTreeSet::new();
        if let Some(detection) = rule.detection.named.get("selection") {
            name_fields(detection, &mut fields)?;
        }
        let rule =
            guarded(|| compile_rule(&rule))?.map_err(|error| one_line(&error.to_string()))?;
        Ok(Self { rule, fields })
    }

    /// The fields it asks for, in lower case.
    pub fn fields(&self) -> &BTreeSet<String> {
        &self.fields
    }

    /// Whether it holds for these fields; a field may come several times, and one that does not come is absent.
    pub fn holds<'f>(&self, fields: impl Iterator<Item = (&'f str, Cow<'f, str>)>) -> bool {
        let fields = Fields::made(fields);
        guarded(|| evaluate_rule(&self.rule, &fields).is_some()).unwrap_or(false)
    }
}

/// Every field that a detection looks at, also those that others are compared with.
fn name_fields(detection: &Detection, names: &mut BTreeSet<String>) -> Result<(), String> {
    match detection {
        Detection::AllOf(items) => {
            for item in items {
                let name = item.field.name.clone().ok_or("a value without a field")?;
                names.insert(name);
                if item.field.has_modifier(Modifier::FieldRef) {
                    for value in &item.values {
                        let SigmaValue::String(other) = value else { continue };
                        names.insert(other.original.to_ascii_lowercase());
                    }
                }
            }
            Ok(())
        }
        Detection::AnyOf(list) | Detection::And(list) => {
            list.iter().try_for_each(|one| name_fields(one, names))
        }
        Detection::Keywords(_) | Detection::ArrayMatch { .. } | Detection::Conditional { .. } => {
            Err("it must say which field is compared with what".to_owned())
        }
    }
}

/// A condition over selections.
pub struct Condition {
    expression: ConditionExpr,
    names: Vec<String>,
}

impl Condition {
    /// Parses a condition over selections of these names.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence; also where it names a selection that there is not.
    pub fn parse(text: &str, names: Vec<String>) -> Result<Self, String> {
        if text.len() > LONGEST || text.matches('(').count() > MOST_PARENTHESES {
            return Err(format!(
                "the condition is longer than {LONGEST} characters or has more than {MOST_PARENTHESES} parentheses"
            ));
        }
        let parsed = guarded(|| parse_condition(text))?;
        let expression = parsed.map_err(|error| one_line(&error.to_string()))?;
        if demand::depth(&expression) > demand::DEEPEST {
            return Err("the condition nests too deep".to_owned());
        }
        let condition = Self { expression, names };
        condition.check(&condition.expression)?;
        let asked = condition.mentioned();
        match condition.names.iter().find(|name| !asked.contains(*name)) {
            Some(idle) => Err(format!("the condition does not use the selection `{idle}`")),
            None => Ok(condition),
        }
    }

    fn check(&self, expression: &ConditionExpr) -> Result<(), String> {
        match expression {
            ConditionExpr::And(list) | ConditionExpr::Or(list) => {
                list.iter().try_for_each(|one| self.check(one))
            }
            ConditionExpr::Not(one) => self.check(one),
            ConditionExpr::Identifier(name) if self.names.contains(name) => Ok(()),
            ConditionExpr::Identifier(name) => {
                Err(format!("the condition names `{name}`, which is no selection of this rule"))
            }
            ConditionExpr::Selector { pattern, .. } => {
                let is_any = self.names.iter().any(|name| pattern.matches_detection_name(name));
                is_any
                    .then_some(())
                    .ok_or_else(|| format!("no selection of this rule is one of `{pattern}`"))
            }
        }
    }

    /// The selections that it names.
    fn mentioned(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut open = vec![&self.expression];
        while let Some(expression) = open.pop() {
            match expression {
                ConditionExpr::And(list) | ConditionExpr::Or(list) => open.extend(list),
                ConditionExpr::Not(one) => open.push(one),
                ConditionExpr::Identifier(name) => drop(names.insert(name.clone())),
                ConditionExpr::Selector { pattern, .. } => names.extend(
                    self.names.iter().filter(|name| pattern.matches_detection_name(name)).cloned(),
                ),
            }
        }
        names
    }

    /// The selections whose truth speaks for it: those under no `not`, or under two.
    pub fn affirmed(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut open = vec![(&self.expression, true)];
        while let Some((expression, is_affirmed)) = open.pop() {
            match expression {
                ConditionExpr::And(list) | ConditionExpr::Or(list) => {
                    open.extend(list.iter().map(|one| (one, is_affirmed)));
                }
                ConditionExpr::Not(one) => open.push((one, !is_affirmed)),
                ConditionExpr::Identifier(name) if is_affirmed => drop(names.insert(name.clone())),
                ConditionExpr::Selector { pattern, .. } if is_affirmed => names.extend(
                    self.names.iter().filter(|name| pattern.matches_detection_name(name)).cloned(),
                ),
                ConditionExpr::Identifier(_) | ConditionExpr::Selector { .. } => {}
            }
        }
        names
    }

    /// Whether it holds; `None` where that hangs on selections of which nothing is known. A selection is asked when it
    /// matters, the first ones first.
    pub fn holds(&self, ask: &mut dyn FnMut(&str) -> Option<bool>) -> Option<bool> {
        self.evaluate(&self.expression, ask)
    }

    /// Three-valued logic: what is false whatever the unknown may be is false.
    fn evaluate(
        &self,
        expression: &ConditionExpr,
        ask: &mut dyn FnMut(&str) -> Option<bool>,
    ) -> Option<bool> {
        match expression {
            ConditionExpr::And(list) => {
                let mut all = Some(true);
                for one in list {
                    match self.evaluate(one, ask) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => all = None,
                    }
                }
                all
            }
            ConditionExpr::Or(list) => {
                let mut any = Some(false);
                for one in list {
                    match self.evaluate(one, ask) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => any = None,
                    }
                }
                any
            }
            ConditionExpr::Not(one) => self.evaluate(one, ask).map(|holds| !holds),
            ConditionExpr::Identifier(name) => ask(name),
            ConditionExpr::Selector { quantifier, pattern } => {
                let meant = self.names.iter().filter(|name| pattern.matches_detection_name(name));
                let answers: Vec<Option<bool>> = meant.map(|name| ask(name)).collect();
                let count = |wanted| answers.iter().filter(|one| **one == wanted).count();
                let needed = match quantifier {
                    Quantifier::Any => 1,
                    Quantifier::All => answers.len(),
                    Quantifier::Count(count) => usize::try_from(*count).unwrap_or(usize::MAX),
                };
                match (count(Some(true)), count(None)) {
                    (yes, _) if yes >= needed => Some(true),
                    (yes, unknown) if yes.saturating_add(unknown) >= needed => None,
                    _ => Some(false),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(selection: &serde_json::Value, fields: &[(&str, &str)]) -> bool {
        let matcher = Matcher::compile(selection).unwrap();
        matcher.holds(fields.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))))
    }

    #[test]
    fn the_operators_are_those_of_sigma() {
        let said = [
            ("image", r"c:\users\public\a.exe"),
            ("start", "auto"),
            ("port", "4443"),
            ("address", "10.1.2.3"),
            ("command_line", "a.exe /enc c2VjcmV0"),
            ("other", "AUTO"),
            ("group", "a"),
            ("group", "b"),
        ];
        for (selection, expected) in [
            (json!({"image": r"C:\Users\Public\a.exe"}), true),
            (json!({"Image|startswith": r"c:\users\"}), true),
            (json!({"image|contains|all": ["users", "public"]}), true),
            (json!({"image|contains|all": ["users", "windows"]}), false),
            (json!({"image|endswith": [".exe", ".dll"], "start": "auto"}), true),
            (json!([{"start": "boot"}, {"start": "auto"}]), true),
            (json!({"image|re": r"\\[a-c]\.exe$"}), true),
            (json!({"image": r"*\public\\?.exe"}), true),
            (json!({"port|gt": 4000, "port|lte": 4443}), true),
            (json!({"port|lt": 4443}), false),
            (json!({"port": 4443}), true),
            (json!({"port": [1, 4443]}), true),
            (json!({"address|cidr": "10.0.0.0/8"}), true),
            (json!({"address|cidr": "192.168.0.0/16"}), false),
            (json!({"command_line|contains": " /enc "}), true),
            (json!({"command_line|windash|contains": " -enc "}), true),
            (json!({"command_line|base64|contains": "secret"}), true),
            (json!({"start|fieldref": "other"}), true),
            (json!({"start|fieldref": "port"}), false),
            (json!({"start|exists": true, "nothing|exists": false}), true),
            (json!({"nothing|exists": true}), false),
            (json!({"start|cased": "AUTO"}), false),
            (json!({"group": "b"}), true),
            (json!({"start|neq": "boot"}), true),
        ] {
            assert_eq!(holds(&selection, &said), expected, "{selection}");
        }
    }

    #[test]
    fn what_is_no_selection_is_refused() {
        for (selection, words) in [
            (json!({}), "asks for nothing"),
            (json!([]), "asks for nothing"),
            (json!("text"), "asks for nothing"),
            (json!(["keyword"]), "asks for nothing"),
            (json!({"image|near": "x"}), "near"),
            (json!({"image|re": "("}), "regular expression"),
            (json!({"image|expand": "%x%"}), "placeholder"),
        ] {
            let reason = Matcher::compile(&selection).map(|_| ()).unwrap_err();
            assert!(reason.contains(words), "{selection}: {reason}");
        }
    }

    #[test]
    fn fields_are_named_in_lower_case() {
        let matcher = Matcher::compile(&json!({"Image|endswith": "x", "start|fieldref": "Other"}));
        let fields: Vec<String> = matcher.unwrap().fields().iter().cloned().collect();
        assert_eq!(fields, ["image", "other", "start"]);
    }

    #[test]
    fn what_is_unknown_stays_so_where_it_matters() {
        let names = || ["a", "b", "f"].map(str::to_owned).to_vec();
        let known = |name: &str| match name {
            "a" => Some(true),
            "b" => None,
            _ => Some(false),
        };
        for (text, expected) in [
            ("a and b and f", Some(false)),
            ("a or b or f", Some(true)),
            ("b or f and a", None),
            ("a and not b and not f", None),
            ("1 of them", Some(true)),
            ("all of them", Some(false)),
            ("2 of them", None),
            ("not (f and b) and a", Some(true)),
        ] {
            let condition = Condition::parse(text, names()).unwrap();
            assert_eq!(condition.holds(&mut { known }), expected, "{text}");
        }
        let condition = Condition::parse("a and not (f or not b)", names()).unwrap();
        assert_eq!(condition.affirmed(), ["a", "b"].map(str::to_owned).into());
    }

    #[test]
    fn conditions_that_do_not_fit_are_refused() {
        for (text, words) in [
            ("a and", "Condition"),
            ("a and c", "names `c`"),
            ("a", "does not use the selection `b`"),
            ("1 of x* and a and b", "no selection of this rule is one of `x*`"),
            (&format!("{}a{}", "(".repeat(50), ")".repeat(50)), "parentheses"),
        ] {
            let names = ["a", "b"].map(str::to_owned).to_vec();
            let reason = Condition::parse(text, names).map(|_| ()).unwrap_err();
            assert!(reason.contains(words), "{text}: {reason}");
        }
    }
}
