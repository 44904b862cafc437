"""The commands: `tandem plan`, and the tables of what two costs."""
