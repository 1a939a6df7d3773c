//! The JSON Schema of reports, which is generated from their types.

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::path::Path;

    use schemars::Schema;
    use schemars::generate::SchemaSettings;
    use schemars::transform::{Transform, transform_subschemas};
    use serde_json::Value;

    use crate::report::{FORMAT, Report};

    const FILE: &str = "docs/report.schema.json";

    /// Puts each description on one line, as comments are broken in the code only.
    #[derive(Debug, Clone)]
    struct OnOneLine;

    impl Transform for OnOneLine {
        fn transform(&mut self, schema: &mut Schema) {
            if let Some(Value::String(text)) = schema.get_mut("description") {
                // Links between items of the code lead nowhere here.
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(['[', ']'], "");
            }
            transform_subschemas(self, schema);
        }
    }

    /// The schema of what is written. Members that a later version adds are allowed.
    fn schema() -> String {
        let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(OnOneLine);
        let mut schema = settings.into_generator().into_root_schema_for::<Report>().to_value();
        schema["title"] = FORMAT.into();
        schema["properties"]["format"]["const"] = FORMAT.into();
        serde_json::to_string_pretty(&schema).unwrap() + "\n"
    }

    #[test]
    fn committed_schema_is_that_of_the_types() {
        let schema = schema();
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
        let committed = std::fs::read_to_string(committed).unwrap_or_default();
        if committed != schema {
            let made = std::env::temp_dir().join("twenty-conform-report.schema.json");
            std::fs::write(&made, &schema).unwrap();
            panic!("{FILE} is not that of the types; rewrite it with\n    cp {} {FILE}", made.display());
        }
    }
}
