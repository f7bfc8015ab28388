//! Tables that analysts write with spreadsheets: named columns, one entry a line.

/// A table in the reading.
pub(in crate::checklist) struct Table<'t> {
    names: Vec<String>,
    records: csv::StringRecordsIntoIter<&'t [u8]>,
}

/// A line of the file, from 1, and its cells that say something, with the names of their columns.
type Row = (usize, Vec<(String, String)>);

impl<'t> Table<'t> {
    /// Begins with the header. Lists of spreadsheets may be separated by semicolons and begin with a byte order mark.
    ///
    /// # Errors
    /// A column that is none of `columns`.
    pub(in crate::checklist) fn new(text: &'t str, columns: &[&str]) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let header = text.lines().next().unwrap_or_default();
        let delimiter = if header.contains(';') && !header.contains(',') { b';' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let names: Vec<String> = match reader.headers() {
            Ok(names) => names.iter().map(str::to_lowercase).collect(),
            Err(error) => return Err(format!("line 1: {error}")),
        };
        if let Some(unknown) = names.iter().find(|name| !columns.contains(&name.as_str())) {
            return Err(format!(
                "line 1: unknown column `{unknown}`; known are {}",
                columns.join(", ")
            ));
        }
        Ok(Self { names, records: reader.into_records() })
    }

    /// The next row, where there is one.
    ///
    /// # Errors
    /// A line that is none of a table, or longer than the header.
    pub(in crate::checklist) fn next_row(&mut self) -> Result<Option<Row>, String> {
        let Some(record) = self.records.next() else { return Ok(None) };
        let record = record.map_err(|error| match error.position() {
            Some(position) => format!("line {}: {error}", position.line()),
            None => error.to_string(),
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() > self.names.len() {
            return Err(format!("line {line}: more fields than columns"));
        }
        let cells = self.names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        let cells = cells.map(|(name, cell)| (name.clone(), cell.to_owned())).collect();
        Ok(Some((usize::try_from(line).unwrap_or(usize::MAX), cells)))
    }
}
