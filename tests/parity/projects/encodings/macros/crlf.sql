{% macro crlf_macro() %}
from a macro
{% endmacro %}
