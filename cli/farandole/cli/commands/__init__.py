"""The commands as they are typed: names, arguments, help. What they do is in the modules beside this folder."""
