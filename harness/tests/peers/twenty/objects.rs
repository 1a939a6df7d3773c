//! The objects of a workspace and their fields, as version 2.31 has them.

use super::json::{Members, list, number, object, text};
use super::values;
use twenty_conform::random::Random;
use twenty_conform::webhook::json::{Json, Text};

/// An object: the kind of its records.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) id: String,
    pub(super) singular: String,
    pub(super) plural: String,
    pub(super) label_singular: String,
    pub(super) label_plural: String,
    pub(super) description: Json,
    pub(super) custom: bool,
    /// In the order in which records have them.
    pub(super) fields: Vec<Field>,
    pub(super) created_at: String,
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Boolean,
    DateTime,
    Currency,
    Links,
    Address,
    FullName,
    Emails,
    /// With the country and the calling code of its default.
    Phones(&'static str, &'static str),
    RichText,
    /// Its options; the first is the default if there is one by default.
    Select(&'static [&'static str], bool),
    MultiSelect,
    Rating,
    Files,
    RawJson,
    /// The id of a record of this object.
    Relation(&'static str),
    System(System),
}

/// A field that the server fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Id,
    CreatedAt,
    UpdatedAt,
    DeletedAt,
    Position,
    CreatedBy,
    UpdatedBy,
    SearchVector,
}

const STAGES: &[&str] = &["NEW", "SCREENING", "MEETING", "PROPOSAL", "CUSTOMER"];
const STATUSES: &[&str] = &["TODO", "IN_PROGRESS", "DONE"];
const TYPES: &[(&str, Kind)] = &[
    ("TEXT", Kind::Text),
    ("NUMBER", Kind::Number),
    ("BOOLEAN", Kind::Boolean),
    ("DATE_TIME", Kind::DateTime),
    ("CURRENCY", Kind::Currency),
    ("LINKS", Kind::Links),
    ("ADDRESS", Kind::Address),
    ("FULL_NAME", Kind::FullName),
    ("EMAILS", Kind::Emails),
    ("PHONES", Kind::Phones("", "")),
    ("RICH_TEXT", Kind::RichText),
    ("RAW_JSON", Kind::RawJson),
];

impl Kind {
    /// The kind of a field that a client may create, by the API's name.
    pub(super) fn named(name: &str) -> Option<Self> {
        TYPES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Phones(..) => "PHONES",
            Self::Select(..) => "SELECT",
            Self::MultiSelect => "MULTI_SELECT",
            Self::Rating => "RATING",
            Self::Files => "FILES",
            Self::Relation(_) => "RELATION",
            Self::System(System::Id) => "UUID",
            Self::System(System::CreatedAt | System::UpdatedAt | System::DeletedAt) => "DATE_TIME",
            Self::System(System::Position) => "POSITION",
            Self::System(System::CreatedBy | System::UpdatedBy) => "ACTOR",
            Self::System(System::SearchVector) => "TS_VECTOR",
            _ => TYPES.iter().find(|(_, kind)| *kind == self).map_or("TEXT", |(name, _)| name),
        }
    }
}

fn system(name: &str) -> Option<Kind> {
    Some(Kind::System(match name {
        "id" => System::Id,
        "createdAt" => System::CreatedAt,
        "updatedAt" => System::UpdatedAt,
        "deletedAt" => System::DeletedAt,
        "position" => System::Position,
        "createdBy" => System::CreatedBy,
        "updatedBy" => System::UpdatedBy,
        "searchVector" => System::SearchVector,
        _ => return None,
    }))
}

impl Object {
    fn new(random: &Random, names: [&str; 4], created_at: &str) -> Self {
        let [singular, plural, label_singular, label_plural] = names.map(str::to_owned);
        let (description, created_at) = (Json::Null, created_at.to_owned());
        Self {
            id: random.uuid(),
            singular,
            plural,
            label_singular,
            label_plural,
            description,
            custom: false,
            fields: Vec::new(),
            created_at,
        }
    }

    /// A custom object, whose records begin with `name`.
    pub(super) fn custom(random: &Random, names: [&str; 4], created_at: &str) -> Self {
        let mut made = Self::new(random, names, created_at);
        made.custom = true;
        made.add(random, &[("name", Kind::Text)]);
        let own = ["id", "createdAt", "createdBy", "deletedAt", "position", "updatedAt", "updatedBy"];
        made.add_system(random, &own);
        made.add_system(random, &["searchVector"]);
        made
    }

    fn add_system(&mut self, random: &Random, names: &[&str]) {
        let fields: Vec<_> = names.iter().filter_map(|name| system(name).map(|kind| (*name, kind))).collect();
        self.add(random, &fields);
    }

    fn add(&mut self, random: &Random, fields: &[(&str, Kind)]) {
        self.fields.extend(fields.iter().map(|(name, kind)| Field {
            id: random.uuid(),
            name: (*name).to_owned(),
            label: (*name).to_owned(),
            kind: *kind,
        }));
    }

    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// A record with the default of each field.
    pub(super) fn empty(&self) -> Json {
        let members: Members = self
            .fields
            .iter()
            .map(|field| (Text::from(field.name.as_str()), values::default(field.kind)))
            .collect();
        Json::Object(members)
    }

    /// The object as the metadata API shows it.
    pub(super) fn shown(&self) -> Json {
        object([
            ("id", text(&self.id)),
            ("nameSingular", text(&self.singular)),
            ("namePlural", text(&self.plural)),
            ("labelSingular", text(&self.label_singular)),
            ("labelPlural", text(&self.label_plural)),
            ("description", self.description.clone()),
            ("icon", Json::Null),
            ("isCustom", Json::Bool(self.custom)),
            ("isRemote", Json::Bool(false)),
            ("isActive", Json::Bool(true)),
            ("isSystem", Json::Bool(self.plural.ends_with("Targets"))),
            ("isSearchable", Json::Bool(true)),
            ("createdAt", text(&self.created_at)),
            ("updatedAt", text(&self.created_at)),
            ("fields", Json::Array(self.fields.iter().map(|field| field.shown(self)).collect())),
        ])
    }
}

impl Field {
    /// The field as the metadata API shows it. The `Id` of a relation's column is not part of its field's name.
    pub(super) fn shown(&self, of: &Object) -> Json {
        let name = match self.kind {
            Kind::Relation(_) => self.name.trim_end_matches("Id"),
            _ => &self.name,
        };
        let options = match self.kind {
            Kind::Select(options, _) => {
                let option = |(at, value): (usize, &&str)| {
                    object([("value", text(value)), ("label", text(value)), ("position", number(at))])
                };
                Json::Array(options.iter().enumerate().map(option).collect())
            }
            _ => Json::Null,
        };
        object([
            ("id", text(&self.id)),
            ("type", text(self.kind.name())),
            ("name", text(name)),
            ("label", text(&self.label)),
            ("description", Json::Null),
            ("icon", Json::Null),
            ("isCustom", Json::Bool(of.custom)),
            ("isActive", Json::Bool(true)),
            ("isSystem", Json::Bool(matches!(self.kind, Kind::System(_)))),
            ("isNullable", Json::Bool(true)),
            ("isUnique", Json::Bool(self.is_unique(of))),
            ("defaultValue", Json::Null),
            ("options", options),
            ("objectMetadataId", text(&of.id)),
            ("createdAt", text(&of.created_at)),
            ("updatedAt", text(&of.created_at)),
        ])
    }

    /// Whether no two records may have the same value.
    pub(super) fn is_unique(&self, of: &Object) -> bool {
        matches!((of.singular.as_str(), self.name.as_str()), ("person", "emails") | ("company", "domainName"))
    }
}

/// The members that the records of most objects begin with.
const BEGIN: &[&str] = &["id", "createdAt", "updatedAt", "deletedAt"];
const ACTORS: &[&str] = &["createdBy", "updatedBy", "searchVector"];

/// The standard objects, with the fields that the development workspace adds to people and companies.
pub(super) fn standard(random: &Random, created_at: &str) -> Vec<Object> {
    let new = |names: [&'static str; 4]| {
        let mut made = Object::new(random, names, created_at);
        made.add_system(random, BEGIN);
        made
    };
    let mut person = new(["person", "people", "Person", "People"]);
    person.add(
        random,
        &[
            ("name", Kind::FullName),
            ("emails", Kind::Emails),
            ("linkedinLink", Kind::Links),
            ("jobTitle", Kind::Text),
            ("phones", Kind::Phones("", "")),
            ("avatarUrl", Kind::Text),
            ("avatarFile", Kind::Files),
        ],
    );
    person.add_system(random, &["position"]);
    person.add_system(random, ACTORS);
    person.add(
        random,
        &[
            ("companyId", Kind::Relation("company")),
            ("intro", Kind::Text),
            ("whatsapp", Kind::Phones("FR", "+33")),
            ("workPreference", Kind::MultiSelect),
            ("performanceRating", Kind::Rating),
        ],
    );
    let mut company = new(["company", "companies", "Company", "Companies"]);
    company.add(
        random,
        &[
            ("name", Kind::Text),
            ("domainName", Kind::Links),
            ("address", Kind::Address),
            ("linkedinLink", Kind::Links),
            ("annualRevenue", Kind::Currency),
        ],
    );
    company.add_system(random, &["position"]);
    company.add_system(random, ACTORS);
    company.add(
        random,
        &[
            ("accountOwnerId", Kind::Relation("workspaceMember")),
            ("employees", Kind::Number),
            ("tagline", Kind::Text),
            ("introVideo", Kind::Links),
            ("workPolicy", Kind::MultiSelect),
            ("visaSponsorship", Kind::Boolean),
        ],
    );
    let mut objects = vec![person, company];
    objects.extend(activities(random, new));
    objects
}

fn activities(random: &Random, new: impl Fn([&'static str; 4]) -> Object) -> Vec<Object> {
    let mut note = new(["note", "notes", "Note", "Notes"]);
    note.add_system(random, &["position"]);
    note.add(random, &[("title", Kind::Text), ("bodyV2", Kind::RichText)]);
    note.add_system(random, ACTORS);
    let mut task = new(["task", "tasks", "Task", "Tasks"]);
    task.add_system(random, &["position"]);
    task.add(
        random,
        &[
            ("title", Kind::Text),
            ("bodyV2", Kind::RichText),
            ("dueAt", Kind::DateTime),
            ("status", Kind::Select(STATUSES, true)),
        ],
    );
    task.add_system(random, ACTORS);
    task.add(random, &[("assigneeId", Kind::Relation("workspaceMember"))]);
    let mut opportunity = new(["opportunity", "opportunities", "Opportunity", "Opportunities"]);
    opportunity.add(
        random,
        &[
            ("name", Kind::Text),
            ("amount", Kind::Currency),
            ("closeDate", Kind::DateTime),
            ("stage", Kind::Select(STAGES, true)),
        ],
    );
    opportunity.add_system(random, &["position"]);
    opportunity.add_system(random, ACTORS);
    let relations = [
        ("companyId", Kind::Relation("company")),
        ("pointOfContactId", Kind::Relation("person")),
        ("ownerId", Kind::Relation("workspaceMember")),
    ];
    opportunity.add(random, &relations);
    let mut target = new(["noteTarget", "noteTargets", "Note Target", "Note Targets"]);
    target.add_system(random, &["createdBy", "updatedBy", "position", "searchVector"]);
    let relations = [
        ("targetCompanyId", Kind::Relation("company")),
        ("noteId", Kind::Relation("note")),
        ("targetPersonId", Kind::Relation("person")),
        ("targetOpportunityId", Kind::Relation("opportunity")),
    ];
    target.add(random, &relations);
    vec![note, task, opportunity, target]
}

/// A record's members that a client may set: those of its own fields, and these.
pub(super) const SETTABLE: &[System] = &[System::Id, System::CreatedAt, System::CreatedBy, System::Position];

/// The empty secondary members of links, phones and emails.
pub(super) fn nothing() -> Json {
    list(&[])
}
