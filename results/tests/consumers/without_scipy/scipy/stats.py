import math


class Columns(list):
    def any(self):
        return any(self)


def gmean(rows):
    return Columns(math.exp(sum(math.log(value) for value in column) / len(column)) if all(column) else 0.0
                   for column in zip(*rows))


def mannwhitneyu(*_, **__):
    raise NotImplementedError("call compare.py with --no-utest")
