"""A blob store on HDFS, by hdfs-native, which needs no Java."""
