"""The blob store on files of the local disk."""
