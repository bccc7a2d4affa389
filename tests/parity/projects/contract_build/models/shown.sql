select id, kind from {{ ref('orders') }}
