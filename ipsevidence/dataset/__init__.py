"""What an IPS trial is: vocabulary, records, the strict reader, checks and the collection."""
