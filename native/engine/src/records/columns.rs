//! Columns, one after the other.

use std::sync::Arc;

use arrow_array::types::{UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, ListArray, PrimitiveArray, RecordBatch, StringArray, builder,
};
use arrow_schema::{ArrowError, Field, Schema};

/// The columns of a batch that is being made.
#[derive(Default)]
pub(super) struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn push(&mut self, name: &str, array: ArrayRef) -> &mut Self {
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
        self
    }

    fn numbers<T: ArrowPrimitiveType>(
        &mut self,
        name: &str,
        values: impl Iterator<Item = Option<T::Native>>,
    ) -> &mut Self {
        self.push(name, Arc::new(values.collect::<PrimitiveArray<T>>()))
    }

    /// A column of whole numbers of 64 bits.
    pub(super) fn u64(&mut self, name: &str, values: impl Iterator<Item = u64>) -> &mut Self {
        self.numbers::<UInt64Type>(name, values.map(Some))
    }

    /// The same, where some rows have none.
    pub(super) fn maybe_u64(&mut self, name: &str, values: impl Iterator<Item = Option<u64>>) -> &mut Self {
        self.numbers::<UInt64Type>(name, values)
    }

    /// A column of whole numbers of 16 bits, where some rows have none.
    pub(super) fn maybe_u16(&mut self, name: &str, values: impl Iterator<Item = Option<u16>>) -> &mut Self {
        self.numbers::<UInt16Type>(name, values)
    }

    /// A column of whole numbers of 8 bits.
    pub(super) fn u8(&mut self, name: &str, values: impl Iterator<Item = u8>) -> &mut Self {
        self.numbers::<UInt8Type>(name, values.map(Some))
    }

    /// A column of yes and no.
    pub(super) fn flags(&mut self, name: &str, values: impl Iterator<Item = bool>) -> &mut Self {
        self.push(name, Arc::new(values.map(Some).collect::<BooleanArray>()))
    }

    /// A column of text, where some rows have none.
    pub(super) fn text<T: AsRef<str>>(&mut self, name: &str, values: impl Iterator<Item = Option<T>>) -> &mut Self {
        self.push(name, Arc::new(values.collect::<StringArray>()))
    }

    /// A column of lists of VLANs.
    pub(super) fn u16_lists<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a [u16]>) -> &mut Self {
        let lists = values.map(|list| Some(list.iter().copied().map(Some)));
        self.push(name, Arc::new(ListArray::from_iter_primitive::<UInt16Type, _, _>(lists)))
    }

    /// A column of lists of numbers of 32 bits.
    pub(super) fn u32_lists<I>(&mut self, name: &str, values: impl Iterator<Item = I>) -> &mut Self
    where
        I: Iterator<Item = u32>,
    {
        let lists = values.map(|list| Some(list.map(Some).collect::<Vec<_>>()));
        self.push(name, Arc::new(ListArray::from_iter_primitive::<UInt32Type, _, _>(lists)))
    }

    /// A column of lists of texts.
    pub(super) fn text_lists<T, I>(&mut self, name: &str, values: impl Iterator<Item = I>) -> &mut Self
    where
        T: AsRef<str>,
        I: Iterator<Item = Option<T>>,
    {
        let mut lists = builder::ListBuilder::new(builder::StringBuilder::new());
        for list in values {
            list.for_each(|text| lists.values().append_option(text));
            lists.append(true);
        }
        self.push(name, Arc::new(lists.finish()))
    }

    /// All columns as one batch.
    pub(super) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let schema = Schema::new(std::mem::take(&mut self.fields));
        RecordBatch::try_new(Arc::new(schema), std::mem::take(&mut self.arrays))
    }
}
