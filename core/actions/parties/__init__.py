"""What a marketplace's customers are paid with and to, and who they are: followed, and changed."""
