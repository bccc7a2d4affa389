{# {{ ref('d') }} #}
select * from {{ from_macro('e') }} union all select id from {{ wrap(ref('a')) }}
