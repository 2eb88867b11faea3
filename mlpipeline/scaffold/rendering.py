"""Fills a template's text by Jinja; what it does not know is told with file and line."""

from __future__ import annotations

from collections.abc import Mapping

import jinja2
from jinja2 import meta, nodes

from mlpipeline.config_text import near_miss
from mlpipeline.errors import MlpipelineError

# As copier renders: either may render a template of the other.
_JINJA = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)


def filled(text: str, values: Mapping[str, str], where: str) -> str:
    """Returns a text with its variables filled in.

    Args:
        where: the text stands, for the message: a template's file.

    Raises:
        MlpipelineError: it is no Jinja, or uses a variable that there is not.
    """
    try:
        tree = _JINJA.parse(text)
        for name in sorted(meta.find_undeclared_variables(tree) - values.keys()):
            line = min(each.lineno for each in tree.find_all(nodes.Name) if each.name == name)
            raise MlpipelineError(
                f"{where}:{line}: there is no variable {name!r}.{near_miss(name, values)} "
                f"There are {', '.join(sorted(values))}"
            )
        return str(_JINJA.from_string(text).render(values))
    except jinja2.TemplateSyntaxError as error:
        raise MlpipelineError(f"{where}:{error.lineno}: {error.message}: mend the template") from error
    except jinja2.TemplateError as error:
        raise MlpipelineError(f"{where}: {error}: mend the template") from error
