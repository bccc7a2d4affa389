select
    1 as id,
    '{{ crlf_macro() }}' as x
from {{ ref('bom') }}
