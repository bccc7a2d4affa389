select 'žluťoučký kůň 🐎' as "größe", '{{ "日本語" | length }}' as length
from {{ ref('crlf') }}