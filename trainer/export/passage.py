"""A passage of our own on which ``build`` compares graphs: nobody has given it any text."""

PROMPT = "A lamplighter finds one lamp already burning."

STORY = """\
Old Hester Quill had lit the lamps of Candle Row for thirty-one years, and in all that time not one of them had ever \
been lit before she came. So when she turned the corner on the last night of October and saw the ninth lamp burning, \
she put down her ladder and looked at it for a good while.

It was not her light. Hers were yellow and leaned a little when the wind got in. This one stood up straight and was \
the colour of a robin's egg.

"Well," said Hester to the lamp, "who let you in?"

The lamp said nothing, but somebody under it did. A boy was sitting on the kerb with his chin on his knees, and he \
had no hat, and his boots were two different boots.

"I did it," he said. "I can put it out again if it's wrong."

"I don't know that it's wrong," said Hester. She had been asked a great many things in her life, but never that. \
"What did you light it with?"

He held out his hand. There was nothing in it at all; then there was a spark, no bigger than a seed, and then there \
was nothing again. He closed his fingers quickly, as if it might fall out and be lost between the stones.

Hester thought of her knees, which did not like the ladder any more, and of the hundred and four lamps between here \
and the river. She thought of the gas company, and of Mr. Pell who wrote things down in a book. Then she thought that \
Mr. Pell had never once come out after dark to see.

"There's eight behind you that want doing," she said at last, "and ninety-five in front. I generally stop for a bun \
at the forty-third. Can you manage that, do you think?"

The boy got up. Standing, he came to about her elbow.

"What sort of bun?" he said.

And that is why, if you walk down Candle Row when the evenings draw in, you will see the yellow lamps and the blue \
ones, turn and turn about, all the way to the water -- and why nobody in that street has ever been able to say which \
of them give the better light.
"""
