//! Repeated plants: `repeat = { times, every }` writes every turn out, `every` seconds after the one before.

use toml::{Table, Value};

/// Most turns of a plant.
const LIMIT: i64 = 1000;

/// The plant without `repeat`: its services and steps once for each turn, `{n}` replaced by the number of the turn, from 1.
pub(super) fn unroll(mut plant: Table) -> Table {
    let Some(Value::Table(repeat)) = plant.remove("repeat") else { return plant };
    let number = |name: &str| repeat.get(name).and_then(Value::as_integer).unwrap_or(0);
    let (times, every) = (number("times").clamp(1, LIMIT), number("every"));
    for list in ["services", "step"] {
        let Some(Value::Array(once)) = plant.get(list).cloned() else { continue };
        let mut all = Vec::new();
        for turn in 1..=times {
            let later = every.saturating_mul(turn.saturating_sub(1));
            all.extend(once.iter().map(|value| of_turn(value, turn, later)));
        }
        all.dedup();
        plant.insert(list.to_owned(), Value::Array(all));
    }
    plant
}

/// A value in one turn: `{n}` in its texts replaced, and `after` moved.
fn of_turn(value: &Value, turn: i64, later: i64) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("{n}", &turn.to_string())),
        Value::Array(list) => {
            Value::Array(list.iter().map(|value| of_turn(value, turn, later)).collect())
        }
        Value::Table(table) => Value::Table(
            table
                .iter()
                .map(|(name, value)| match (name.as_str(), value) {
                    ("after", Value::Integer(after)) => {
                        (name.clone(), Value::Integer(after.saturating_add(later)))
                    }
                    _ => (name.clone(), of_turn(value, turn, later)),
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_plant_is_written_out() {
        let text = r#"
            services = ["seg{n}"]
            repeat = { times = 3, every = 2 }
            step = [{ after = 0, service = "seg{n}" }, { after = 1, service = "seg{n}" }]
        "#;
        let plant = unroll(toml::from_str(text).unwrap());
        let services: Vec<&str> = plant["services"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        assert_eq!(services, ["seg1", "seg2", "seg3"]);
        let steps = plant["step"].as_array().unwrap();
        let after: Vec<i64> =
            steps.iter().map(|step| step["after"].as_integer().unwrap()).collect();
        assert_eq!(after, [0, 1, 2, 3, 4, 5]);
        assert_eq!(steps[5]["service"].as_str(), Some("seg3"));
        assert!(plant.get("repeat").is_none());
    }

    #[test]
    fn a_plant_that_happens_once_stays_as_it_is() {
        let plant: Table = toml::from_str("services = ['{n}']").unwrap();
        assert_eq!(unroll(plant.clone()), plant);
    }
}
